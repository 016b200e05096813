import { wordsOf } from '../noise/ngrams.js'
import type { QualityMetric } from './metric.js'

export const window = 50

/** Type-token ratio over a moving window of 50 tokens, mean of all windows (Covington & McFall 2010); of fewer tokens, their plain ratio. */
export class MovingTypeTokenRatio {
  private readonly ring: string[] = []
  private readonly counts = new Map<string, number>()
  private sum = 0
  tokens = 0

  add(token: string): void {
    const slot = this.tokens++ % window
    const leaving = this.ring[slot]
    if (leaving !== undefined) {
      const left = this.counts.get(leaving)! - 1
      if (left === 0) this.counts.delete(leaving)
      else this.counts.set(leaving, left)
    }
    this.ring[slot] = token
    this.counts.set(token, (this.counts.get(token) ?? 0) + 1)
    if (this.tokens >= window) this.sum += this.counts.size / window
  }

  /** null without tokens */
  ratio(): number | null {
    if (this.tokens === 0) return null
    return this.tokens < window ? this.counts.size / this.tokens : this.sum / (this.tokens - window + 1)
  }
}

export const diversity: QualityMetric = {
  name: 'diversity',
  description: 'Moving-average type-token ratio of the texts, one after another, over windows of 50 words.',
  start({ texts }) {
    const ratio = new MovingTypeTokenRatio()
    return {
      ...(texts && {
        row({ text }) {
          for (const word of wordsOf(text!)) ratio.add(word)
        },
      }),
      end: () => ({ score: ratio.ratio(), sampleSize: ratio.tokens, of: 'words' }),
    }
  },
}
