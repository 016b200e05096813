/**
 * Checks the models of a bundle in plain onnxruntime, without Espalier: node check.mjs <folder of a bundle>. Reads each
 * parity-samples.json: feeds its inputs to the ONNX file that it names, and compares every output with the one that it gives, within its
 * tolerance. Prints one JSON line per file; the exit status is 1 where one differs.
 */
import fs from 'node:fs'
import path from 'node:path'
import ort from 'onnxruntime-node'

const arrays = { float32: Float32Array, float64: Float64Array, int32: Int32Array, int64: BigInt64Array, bool: Uint8Array }
const tensor = ({ type, dims, data }) => new ort.Tensor(type, arrays[type].from(data, type === 'int64' ? BigInt : Number), dims)
const largest = (a, b) => a.reduce((most, x, i) => Math.max(most, Math.abs(Number(x) - Number(b[i]))), 0)

const folder = process.argv[2]
for (const name of fs.readdirSync(folder, { recursive: true }).sort()) {
  if (path.basename(name) !== 'parity-samples.json') continue
  const { graphs } = JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8'))
  for (const { path: file, tolerance, inputs, outputs } of graphs) {
    const place = path.join(path.dirname(name), file)
    const session = await ort.InferenceSession.create(path.join(folder, place))
    const feeds = Object.fromEntries(Object.entries(inputs).map(([input, t]) => [input, tensor(t)]))
    const results = await session.run(feeds)
    const differences = Object.entries(outputs).map(([output, t]) =>
      String(results[output].dims) === String(t.dims) ? largest(Array.from(results[output].data), t.data) : Number.NaN,
    )
    const difference = Math.max(...differences)
    const passed = difference <= tolerance
    if (!passed) process.exitCode = 1
    console.log(JSON.stringify({ file: place, max_abs_diff: difference, passed, onnxruntime: ort.env.versions.node }))
    await session.release()
  }
}
