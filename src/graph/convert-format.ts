/** `apoc.date.convertFormat(toString(x), "iso_zoned_date_time", "iso_offset_date_time")` -> `toString(x)`; Neo4j without plugins needs it too. */
export function withoutConvertFormat(text: string): string {
  return text.replace(
    /apoc\.date\.convertFormat\((toString\([^()]*(?:\([^()]*\))?[^()]*\)), ["']iso_zoned_date_time["'], ["']iso_offset_date_time["']\)/g,
    '$1',
  )
}
