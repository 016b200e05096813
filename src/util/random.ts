/**
 * A counter-based generator (splitmix64's finaliser over seed and counter; Steele, Lea & Flood 2014): its whole state is two numbers,
 * so that a checkpoint stores it and a resumed run draws the very same sequence.
 */
export interface Rng {
  readonly seed: number
  /** how many numbers were drawn */
  readonly counter: number
  /** uniform in [0, 1), 32 bits */
  next(): number
  /** uniform integer in [0, n) */
  integer(n: number): number
  /** standard normal (Box-Muller, one value a call) */
  normal(): number
  /** Fisher-Yates; returns a new array */
  shuffle<T>(items: readonly T[]): T[]
  /** k distinct items in random order (all of them if k is larger) */
  sample<T>(items: readonly T[], k: number): T[]
  /** an independent generator named by `label`; does not advance this one */
  fork(label: string): Rng
}

const mask = (1n << 64n) - 1n
const golden = 0x9e3779b97f4a7c15n

function mix(z: bigint): bigint {
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask
  return z ^ (z >> 31n)
}

const hashLabel = (label: string): bigint => {
  let h = 0xcbf29ce484222325n
  for (const byte of new TextEncoder().encode(label)) h = ((h ^ BigInt(byte)) * 0x100000001b3n) & mask
  return h
}

/** A generator from an integer seed (any safe integer), positioned after `counter` draws. */
export function seeded(seed: number, counter = 0): Rng {
  const base = mix((BigInt(seed) & mask) + golden)
  let drawn = counter
  const next = () => {
    drawn++
    return Number(mix((base + BigInt(drawn) * golden) & mask) >> 32n) / 2 ** 32
  }
  const integer = (n: number) => Math.floor(next() * n)
  const shuffle = <T>(items: readonly T[]): T[] => {
    const out = [...items]
    for (let i = out.length - 1; i > 0; i--) {
      const j = integer(i + 1)
      const held = out[i]!
      out[i] = out[j]!
      out[j] = held
    }
    return out
  }
  return {
    seed,
    get counter() {
      return drawn
    },
    next,
    integer,
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    shuffle,
    sample: (items, k) => shuffle(items).slice(0, k),
    fork: (label) => seeded(Number(mix(base ^ hashLabel(label)) >> 11n)),
  }
}
