import { z } from 'zod'
import { symmetricEigen } from './eigen.js'
import { columnName, numberAt, type Operation } from './operation.js'

const pcaOptions = z
  .strictObject({
    op: z.literal('pca'),
    columns: z
      .array(columnName)
      .min(1)
      .max(300)
      .describe('columns of numbers; they are replaced. Rows with a missing number teach nothing, and get its mean'),
    components: z
      .number()
      .positive()
      .describe('how many components stay, or, below 1, the share of the variance that they explain together'),
    whiten: z.boolean().default(false).describe('each component with variance 1'),
    prefix: z.string().min(1).default('pc').describe('the new columns are pc1, pc2, …'),
  })
  .superRefine(({ columns, components }, context) => {
    if (components >= 1 && (!Number.isInteger(components) || components > columns.length))
      context.addIssue({
        code: 'custom',
        path: ['components'],
        message: `expected a share below 1, or a whole number up to ${columns.length}`,
      })
  })

const pcaFitted = z.strictObject({
  means: z.array(z.number()),
  /** one a component, as long as there are columns, of length 1 */
  components: z.array(z.array(z.number())),
  /** of the training rows along each component (divided by n - 1) */
  variances: z.array(z.number()),
  /** share of the whole variance that each explains */
  explained: z.array(z.number()),
})

/** Means and products of deviations of several columns in one pass (Welford, for each pair). */
class CovarianceMatrix {
  count = 0
  readonly means: Float64Array
  private readonly products: Float64Array
  private readonly from: Float64Array

  constructor(private readonly width: number) {
    this.means = new Float64Array(width)
    this.products = new Float64Array(width * width)
    this.from = new Float64Array(width)
  }

  add(values: ArrayLike<number>): void {
    this.count++
    const { width, means, from, products, count } = this
    for (let i = 0; i < width; i++) from[i] = values[i]! - means[i]!
    for (let i = 0; i < width; i++) means[i]! += from[i]! / count
    const scale = (count - 1) / count
    for (let i = 0; i < width; i++) for (let j = 0; j <= i; j++) products[i * width + j]! += scale * from[i]! * from[j]!
  }

  /** of a sample (divided by n - 1), whole; zeros below two rows */
  covariance(): Float64Array {
    const { width, products } = this
    const by = 1 / Math.max(1, this.count - 1)
    const matrix = new Float64Array(width * width)
    for (let i = 0; i < width; i++)
      for (let j = 0; j <= i; j++) matrix[i * width + j] = matrix[j * width + i] = products[i * width + j]! * by
    return matrix
  }
}

function chosen(variances: ArrayLike<number>, components: number): number {
  if (components >= 1) return components
  const total = Array.from(variances).reduce((a, b) => a + b, 0)
  let sum = 0
  for (let i = 0; i < variances.length; i++) if ((sum += variances[i]!) >= components * total) return i + 1
  return variances.length
}

/**
 * Principal components of the training rows (Pearson 1901; Jolliffe 2002): eigenvectors of the covariance, by decreasing variance. Each
 * is turned so that its largest weight is positive, for the same answer on every machine.
 */
export const pca: Operation<z.output<typeof pcaOptions>, z.output<typeof pcaFitted>> = {
  options: pcaOptions,
  fitted: pcaFitted,
  reads: ({ columns }) => columns,
  changes:
    ({ columns, prefix }) =>
    (column) =>
      columns.includes(column) || column.startsWith(prefix),
  fit({ columns, components }) {
    const matrix = new CovarianceMatrix(columns.length)
    const values = new Float64Array(columns.length)
    return {
      add(row) {
        for (let i = 0; i < columns.length; i++) values[i] = numberAt(row, columns[i]!) ?? Number.NaN
        if (!values.some(Number.isNaN)) matrix.add(values)
      },
      end() {
        const { values: eigenvalues, vectors } = symmetricEigen(matrix.covariance(), columns.length)
        const variances = eigenvalues.map((value) => Math.max(0, value))
        const total = variances.reduce((a, b) => a + b, 0)
        const count = chosen(variances, components)
        return {
          means: [...matrix.means],
          components: vectors.slice(0, count).map(positiveLargest),
          variances: variances.slice(0, count),
          explained: variances.slice(0, count).map((value) => (total === 0 ? 0 : value / total)),
        }
      },
    }
  },
  build({ columns, whiten, prefix }, { means, components, variances }) {
    // a component without variance is 0 for every training row, and stays unscaled
    const scales = variances.map((variance) => (whiten && variance > 1e-12 ? 1 / Math.sqrt(variance) : 1))
    return (row) => {
      const from = columns.map((column, i) => (numberAt(row, column) ?? means[i]!) - means[i]!)
      for (const column of columns) delete row[column]
      components.forEach((weights, c) => {
        row[`${prefix}${c + 1}`] = scales[c]! * weights.reduce((sum, weight, i) => sum + weight * from[i]!, 0)
      })
      return true
    }
  },
}

function positiveLargest(vector: readonly number[]): number[] {
  const largest = vector.reduce((best, x) => (Math.abs(x) > Math.abs(best) ? x : best), 0)
  return largest < 0 ? vector.map((x) => -x) : [...vector]
}
