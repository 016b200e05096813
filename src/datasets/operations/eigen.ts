/**
 * Eigenvalues, largest first, and eigenvectors (of length 1, one an eigenvalue) of a symmetric matrix given row by row, by cyclic Jacobi
 * rotations (Golub & Van Loan 2013, section 8.5): accurate for small matrices, and the same on every machine.
 */
export function symmetricEigen(matrix: Float64Array, size: number): { values: number[]; vectors: number[][] } {
  const a = Float64Array.from(matrix)
  const v = new Float64Array(size * size)
  for (let i = 0; i < size; i++) v[i * size + i] = 1
  const norm = Math.sqrt(a.reduce((sum, x) => sum + x * x, 0))
  for (let sweep = 0; sweep < 100 && offDiagonal(a, size) > 1e-15 * norm; sweep++)
    for (let p = 0; p < size - 1; p++) for (let q = p + 1; q < size; q++) rotate(a, v, size, p, q)
  const order = Array.from({ length: size }, (_, i) => i).sort((i, j) => a[j * size + j]! - a[i * size + i]! || i - j)
  return {
    values: order.map((i) => a[i * size + i]!),
    vectors: order.map((i) => Array.from({ length: size }, (_, k) => v[k * size + i]!)),
  }
}

function offDiagonal(a: Float64Array, size: number): number {
  let sum = 0
  for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) sum += 2 * a[i * size + j]! ** 2
  return Math.sqrt(sum)
}

/** Makes a[p][q] zero. */
function rotate(a: Float64Array, v: Float64Array, size: number, p: number, q: number): void {
  const apq = a[p * size + q]!
  if (apq === 0) return
  const theta = (a[q * size + q]! - a[p * size + p]!) / (2 * apq)
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.hypot(theta, 1))
  const c = 1 / Math.hypot(t, 1)
  const s = t * c
  for (let k = 0; k < size; k++) {
    const [kp, kq] = [a[k * size + p]!, a[k * size + q]!]
    a[k * size + p] = c * kp - s * kq
    a[k * size + q] = s * kp + c * kq
  }
  for (let k = 0; k < size; k++) {
    const [pk, qk] = [a[p * size + k]!, a[q * size + k]!]
    a[p * size + k] = c * pk - s * qk
    a[q * size + k] = s * pk + c * qk
  }
  for (let k = 0; k < size; k++) {
    const [kp, kq] = [v[k * size + p]!, v[k * size + q]!]
    v[k * size + p] = c * kp - s * kq
    v[k * size + q] = s * kp + c * kq
  }
}
