/** The slice of dt-sql-parser 4.5 that we use, by shape; scripts/build.mjs bundles the package into dist/vendor. */

export interface Token {
  /** from 1 */
  readonly line: number
  /** from 0, in code points */
  readonly column: number
  /** first and last code point in the text that was parsed */
  readonly start: number
  readonly stop: number
  readonly inputStream: { getText(start: number, stop: number): string } | null
}

/** A rule's node (with a ruleIndex and children) or a terminal (without). */
export interface ParseTree {
  readonly ruleIndex?: number
  readonly children?: readonly ParseTree[]
  readonly start?: Token | null
  readonly stop?: Token | null
  readonly symbol?: Token
  getText(): string
}

export interface ParseError {
  readonly message: string
  /** from 1 */
  readonly startLine: number
  /** from 1, in code points */
  readonly startColumn: number
}

export declare class HiveSQL {
  parse(text: string, onError?: (error: ParseError) => void): ParseTree
  createParser(text: string): { readonly ruleNames: readonly string[] }
}
