export type TextChunks = string | Iterable<string> | AsyncIterable<string>

/** The lines of a text that comes in chunks of any size, with their numbers from 1; a byte-order mark and `\r` are taken off. */
export async function* readLines(source: TextChunks): AsyncGenerator<{ number: number; text: string }> {
  const pending: string[] = []
  let number = 0
  const line = (text: string) => {
    number++
    const start = number === 1 && text.startsWith('\uFEFF') ? 1 : 0
    return { number, text: text.slice(start, text.endsWith('\r') ? -1 : undefined) }
  }
  for await (const chunk of typeof source === 'string' ? [source] : source) {
    let from = 0
    for (let end = chunk.indexOf('\n'); end >= 0; end = chunk.indexOf('\n', from)) {
      pending.push(chunk.slice(from, end))
      yield line(pending.join(''))
      pending.length = 0
      from = end + 1
    }
    // Parts are joined once per line: adding strings chunk by chunk is quadratic for a line of many megabytes.
    if (from < chunk.length) pending.push(chunk.slice(from))
  }
  if (pending.length) yield line(pending.join(''))
}
