/** Rows of the same keys as columns, the first to the left and the others to the right. */
export function printTable(rows) {
  const columns = Object.keys(rows[0] ?? {})
  const cells = [columns, ...rows.map((row) => columns.map((c) => String(row[c])))]
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => line[i].length)))
  cells.forEach((line, i) => {
    console.log(`  ${line.map((cell, j) => (j === 0 ? cell.padEnd(widths[j]) : cell.padStart(widths[j]))).join('  ')}`)
    if (i === 0) console.log(`  ${widths.map((w) => '-'.repeat(w)).join('  ')}`)
  })
}
