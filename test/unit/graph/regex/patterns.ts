import fc from 'fast-check'

/** What analysts ask for, and what Java is given (`.` and `\w` stand for their classes). */
export const acceptedPatterns: [pattern: string, planned: string][] = [
  ['', ''],
  ['a|b|c', 'a|b|c'],
  ['^stg_[0-9]+$', 'stg_[0-9]+'],
  ['(?i).*customer.*', '(?>.*?[Cc][Uu][Ss][Tt][Oo][Mm][Ee][Rr]).*'],
  ['(?i)^(dim|fact)_.*$', '(?:[Dd][Ii][Mm]|[Ff][Aa][Cc][Tt])_.*'],
  ['.*foo.*bar.*', '(?>.*?foo)(?>.*?bar).*'],
  ['.*?foo.*?', '(?>.*?foo).*'],
  ['(.*)_(.*)', '(?>.*?_).*'],
  ['.*foo.*|.*bar.*baz.*', '(?>.*?foo).*|(?>.*?bar)(?>.*?baz).*'],
  ['(stg|raw2)_.*foo.*', '(?:stg|raw2)_(?>.*?foo).*'],
  // either way of the head is tried
  ['(customer|customers).*foo.*', '(?:customer|customers)(?>.*?foo).*'],
  // what ends earliest will do
  ['.*(foo|bars).*baz.*', '(?>.*?(?:foo|bars))(?>.*?baz).*'],
  ['.*(customer|cust).*id.*', '(?>.*?cust)(?>.*?id).*'],
  ['.*(abcd|bc).*d.*', '(?>.*?bc)(?>.*?d).*'],
  // a repeat beside a gap that reads the same
  ['.*[0-9]+', '(?>.*[0-9])[0-9]*'],
  ['.*[0-9]+.*', '(?>.*?[0-9]).*'],
  ['.*.*.*', '.*'],
  ['.+_.+', '.(?>.*?_.).*'],
  ['\\w+_\\w+', '[\\w](?>[\\w]*?_[\\w])[\\w]*'],
  ['.*_\\w+', '(?>.*_[\\w])[\\w]*'],
  ['.*_(id|key|code)', '.*_(?:id|key|code)'],
  ['\\d{4}-\\d{2}', '[0-9]{4}\\x{2d}[0-9]{2}'],
  ['[^.]+\\.[^.]+', '[^\\x{2e}]+\\x{2e}[^\\x{2e}]+'],
  // repeated groups never give back
  ['[a-z]+(_[a-z]+)*', '[a-z]+(?:_[a-z]+)*+'],
  ['(ab|c)+', '(?:ab|c)++'],
  ['(ab){2,3}', 'abab(?:ab)?'],
  ['[öÖ]l\\(1\\)', '[\\x{d6}\\x{f6}]l\\x{28}1\\x{29}'],
  ['(?s).', '[\\x{0}-\\x{d7ff}\\x{e000}-\\x{10ffff}]'],
]

/** What Java may need hours for, or what is not read, each with a part of what the refusal says. */
export const refusedPatterns: [pattern: string, says: string][] = [
  ['(a+)+$', 'Write [a-z]+(_[a-z]+)*'],
  ['(a|a)*b', 'Write [a-z]+(_[a-z]+)*'],
  ['(a|ab|b)*c', 'Write [a-z]+(_[a-z]+)*'],
  ['([a-z]+_)*[a-z]+', 'Write [a-z]+(_[a-z]+)*'],
  ['(x+x+)+y', 'Write [a-z]+(_[a-z]+)*'],
  ['((a|b)+c?)+', 'Write [a-z]+(_[a-z]+)*'],
  ['(.*)*', 'cannot be empty'],
  ['(a?){30}a{30}', 'cannot be empty'],
  ['(a*|b*)c', 'at most one alternative that can be empty'],
  [`${'a?b?'.repeat(20)}a{20}`, 'in proportion to the text'],
  ['(a|aa|aaa){90}b', 'in proportion to the text'],
  ['[a-z]*[0-9]*[a-z]*x', 'in proportion to the text'],
  ['(.*foo.*|bar)_x', 'in proportion to the text'],
  ['.*a.{1,300}b', 'in short time'],
  ['.*(a[bx]cd|bc).*y.*z', 'in proportion to the text'],
  ['(a)\\1', 'References back'],
  ['\\bfoo', 'not \\b'],
  ['\\p{L}+', 'not \\p'],
  ['\\Qa\\E', 'not \\Q'],
  ['(?=a)a', 'Look-around'],
  ['(?<n>a)', 'Look-around'],
  ['(?>a)', 'Look-around'],
  ['a(?i)b', 'Look-around'],
  ['(?x)a b', 'no flags but'],
  ['(?iu)ö', '[öÖ]'],
  ['a++', 'no possessive'],
  ['a{2}{3}', 'one quantifier'],
  ['a**', 'one quantifier'],
  ['*a', 'something to repeat'],
  ['a{', 'a count like'],
  ['a{5,2}', 'from small to large'],
  ['a{2000}', 'from small to large'],
  ['(ab){1000}', 'at most 100 times'],
  ['a^b', 'at the beginning only'],
  ['(a$)b', 'at the end only'],
  ['(a', 'a group that is closed'],
  ['a)', 'a group that is opened'],
  ['[a', 'a class that is closed'],
  ['[]', 'something in the class'],
  ['[[:alpha:]]', 'no plain [ in a class'],
  ['[a-z&&[^b]]', 'no plain & in a class'],
  ['[z-a]', 'from small to large'],
  ['a\\', 'after the backslash'],
  ['\\x{110000}', 'a code point'],
  ['a'.repeat(2_001), 'at most 2000 characters'],
  [`${'('.repeat(21)}a${')'.repeat(21)}`, 'at most 20 groups'],
  ['[ab]{1000}[ab]{1000}c', 'at most 2000 characters'],
]

const atom = fc.constantFrom('a', 'b', 'c', '1', '_', '.', '[ab]', '[^a]', '[a-c]', '\\d', '\\w', 'ab', 'abc', '[^\\n]', '.')
const times = fc.constantFrom('', '', '', '', '*', '+', '?', '{2}', '{1,3}', '{2,}', '*?')
const repeated = fc.tuple(atom, times).map(([a, t]) => (a.length > 1 && /^[a-c]+$/.test(a) && t ? `(${a})${t}` : a + t))
const group = (inner: fc.Arbitrary<string>) =>
  fc.tuple(fc.array(inner, { minLength: 1, maxLength: 3 }), times).map(([options, t]) => `(${options.join('|')})${t}`)
const run = (inner: fc.Arbitrary<string>) => fc.array(inner, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(''))
const level1 = run(repeated)
const level2 = run(fc.oneof({ weight: 2, arbitrary: repeated }, group(level1)))
/** Gaps with something in between, which is where plans differ from patterns. */
const gaps = fc
  .array(
    fc.tuple(fc.oneof(level1, group(run(atom)), fc.constant('')), fc.constantFrom('.*', '.*', '.+', '\\w*', '[ab]*', '[a-c_]+', '[^a]*')),
    {
      minLength: 1,
      maxLength: 3,
    },
  )
  .chain((pieces) => fc.oneof(level1, fc.constant('')).map((tail) => pieces.map((p) => p.join('')).join('') + tail))
export const anyPattern: fc.Arbitrary<string> = fc.oneof(
  level2,
  gaps,
  gaps,
  fc.tuple(gaps, level2).map((options) => options.join('|')),
)

const letters = ['a', 'b', 'c', '1', '_', 'ab', 'abc', '\n', 'é']
/** Short texts of all kinds, and long ones of a few pieces over and over with an end that fits nothing. */
export function* textsFor(pattern: string, number: () => number): Generator<string> {
  const pick = <T>(from: readonly T[]) => from[number() % from.length]!
  const own = [...letters, ...(pattern.match(/[a-c1_]+/g) ?? [])]
  for (let i = 0; i < 12; i++)
    yield Array.from({ length: number() % 9 }, () => pick(own))
      .join('')
      .slice(0, 29)
  for (let i = 0; i < 4; i++) {
    const unit = Array.from({ length: 1 + (number() % 3) }, () => pick(own)).join('')
    yield pick(own) + unit.repeat(Math.ceil(150 / unit.length)) + pick(['', '\n', '!', ...own])
  }
}
