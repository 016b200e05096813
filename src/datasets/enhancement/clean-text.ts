export interface CleanOptions {
  trim: boolean
  collapse: boolean
  control: boolean
}

/** A text made clean, and where each of its positions went. */
export interface CleanedText {
  text: string
  /** old position (0 to the old length, both included) -> new position */
  position(old: number): number
}

/** Control characters but for white space, and two that are seen by nobody (zero-width space, byte-order mark). */
const isControl = (code: number): boolean =>
  (code < 32 && !(code >= 9 && code <= 13)) || (code >= 127 && code < 160) || code === 0x200b || code === 0xfeff

const isSpace = (character: string): boolean => /\s/.test(character)

/** What any cleaning would change: most texts have none of it, and are told at once. */
const mayNeedCleaning = /^\s|\s$|\s\s|[^\S ]|\p{Cc}|[\u200b\ufeff]/u

/** Null where the text is clean as it is. */
export function cleanText(text: string, { trim, collapse, control }: CleanOptions): CleanedText | null {
  if (!mayNeedCleaning.test(text)) return null
  const positions = new Uint32Array(text.length + 1)
  let clean = ''
  // a run of white space waits for what follows: at the end there is nothing to part
  let space = ''
  for (let i = 0; i < text.length; i++) {
    // a position within a run of white space is that of what follows it
    positions[i] = clean.length + (clean === '' && trim ? 0 : space.length)
    const code = text.charCodeAt(i)
    if (control && isControl(code)) continue
    if (isSpace(text[i]!)) {
      space = collapse ? ' ' : space + text[i]!
      continue
    }
    if (clean !== '' || !trim) clean += space
    space = ''
    positions[i] = clean.length
    clean += text[i]!
  }
  if (!trim) clean += space
  positions[text.length] = clean.length
  if (clean === text) return null
  return { text: clean, position: (old) => Math.min(positions[Math.min(Math.max(old, 0), text.length)]!, clean.length) }
}

/** A span of the old text in the new one, white space off its ends; null where nothing of it is left. */
export function movedSpan({ text, position }: CleanedText, start: number, end: number): [start: number, end: number] | null {
  let [from, to] = [position(start), position(end)]
  while (from < to && isSpace(text[from]!)) from++
  while (from < to && isSpace(text[to - 1]!)) to--
  return from < to ? [from, to] : null
}
