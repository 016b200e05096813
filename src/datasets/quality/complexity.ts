import { wordsOf } from '../noise/ngrams.js'
import { clamp01, type QualityMetric } from './metric.js'

/** Means of real texts lie within: characters a word (words as `a` and `to` alone: 1.5; scientific English: 6.5), words a sentence. */
const wordRange = [2, 7] as const
const sentenceRange = [1, 25] as const

const scaled = (x: number, [low, high]: readonly [number, number]) => clamp01((x - low) / (high - low))

const sentencesOf = (text: string): number => Math.max(1, text.match(/[.!?。！？]+(?=\s|$)/gu)?.length ?? 1)

export const complexity: QualityMetric = {
  name: 'complexity',
  description: 'Mean length of words (2 to 7 characters) and of sentences (1 to 25 words), each scaled to 0..1; the mean of both.',
  start({ texts }) {
    let [words, characters, sentences] = [0, 0, 0]
    return {
      ...(texts && {
        row({ text }) {
          const found = wordsOf(text!)
          if (found.length === 0) return
          words += found.length
          for (const word of found) characters += word.length
          sentences += sentencesOf(text!.trim())
        },
      }),
      end() {
        if (words === 0) return { score: null, sampleSize: 0, of: 'words' }
        const [wordLength, sentenceLength] = [characters / words, words / sentences]
        return {
          score: (scaled(wordLength, wordRange) + scaled(sentenceLength, sentenceRange)) / 2,
          sampleSize: words,
          of: 'words',
          details: { word_length: wordLength, sentence_length: sentenceLength },
        }
      },
    }
  },
}
