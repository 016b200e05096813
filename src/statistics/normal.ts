const numerator = [
  3.52624965998911e-2, 0.700383064443688, 6.37396220353165, 33.912866078383, 112.079291497871, 221.213596169931, 220.206867912376,
]
const denominator = [
  8.83883476483184e-2, 1.75566716318264, 16.064177579207, 86.7807322029461, 296.564248779674, 637.333633378831, 793.826512519948,
  440.413735824752,
]
const horner = (coefficients: readonly number[], x: number) => coefficients.reduce((sum, c) => sum * x + c, 0)

/**
 * P(Z <= z) of the standard normal, to about 1e-14 (Hart 1968, as given by West, "Better approximations to cumulative normal
 * functions", 2005).
 */
export function normalCdf(z: number): number {
  if (Number.isNaN(z)) return Number.NaN
  const x = Math.abs(z)
  const density = Math.exp((-x * x) / 2)
  let tail = 0
  if (x < 7.07106781186547) tail = (density * horner(numerator, x)) / horner(denominator, x)
  else if (x <= 37) tail = density / (x + 1 / (x + 2 / (x + 3 / (x + 4 / (x + 0.65))))) / 2.506628274631
  return z > 0 ? 1 - tail : tail
}

const [a, b, c, d] = [
  [-3.969683028665376e1, 2.209460984245205e2, -2.759285104469687e2, 1.38357751867269e2, -3.066479806614716e1, 2.506628277459239],
  [-5.447609879822406e1, 1.615858368580409e2, -1.556989798598866e2, 6.680131188771972e1, -1.328068155288572e1, 1],
  [-7.784894002430293e-3, -3.223964580411365e-1, -2.400758277161838, -2.549732539343734, 4.374664141464968, 2.938163982698783],
  [7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416, 1],
] as const

function roughQuantile(p: number): number {
  if (p > 0.97575) return -roughQuantile(1 - p)
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p))
    return horner(c, q) / horner(d, q)
  }
  const q = p - 0.5
  return (q * horner(a, q * q)) / horner(b, q * q)
}

/** z with P(Z <= z) = p, for 0 < p < 1 (Acklam's rational approximation, then one step of Halley's method: about 1e-14). */
export function normalQuantile(p: number): number {
  if (p <= 0 || p >= 1) return p === 0 ? Number.NEGATIVE_INFINITY : p === 1 ? Number.POSITIVE_INFINITY : Number.NaN
  const z = roughQuantile(p)
  const error = (normalCdf(z) - p) * Math.sqrt(2 * Math.PI) * Math.exp((z * z) / 2)
  return z - error / (1 + (z * error) / 2)
}
