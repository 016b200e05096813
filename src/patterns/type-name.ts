/** A column type as learners see it: `VARCHAR`, `varchar(20)` and ` Varchar ` share the base `varchar`. */
export interface TypeName {
  /** lower-case name without arguments; nested types keep their shape: `array<int>` */
  base: string
  /** length, or precision and scale, as written: `10,2`; '' when there are none */
  size: string
}

/** Other spellings of one type. What is not here is its own name. */
const synonyms: ReadonlyMap<string, string> = new Map(
  Object.entries({
    integer: 'int',
    int4: 'int',
    int8: 'bigint',
    int2: 'smallint',
    numeric: 'decimal',
    'double precision': 'double',
    float8: 'double',
    float4: 'float',
    real: 'float',
    'character varying': 'varchar',
    character: 'char',
    bool: 'boolean',
  }),
)

/** Splits a type as its source wrote it; the empty string becomes `unknown`. */
export function parseTypeName(written: string): TypeName {
  const text = written.trim().toLowerCase().replace(/\s+/g, ' ')
  if (text === '') return { base: 'unknown', size: '' }
  if (text.includes('<')) return { base: text.replace(/\s/g, ''), size: '' }
  const parts = /^([^(]+?)\s*\(\s*([^)]*?)\s*\)(.*)$/.exec(text)
  const name = parts ? `${parts[1]}${parts[3]}`.trim() : text
  return { base: synonyms.get(name) ?? name, size: parts ? parts[2]!.replace(/\s/g, '') : '' }
}

/** `varchar(20)`, or only `varchar` where there is no size. */
export const printTypeName = ({ base, size }: TypeName): string => (size ? `${base}(${size})` : base)
