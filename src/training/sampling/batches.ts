/** What a mini-batch may hold at most; an example larger than the node budget gets a batch of its own. */
export interface BatchBudget {
  /** sum of the examples' sizes (nodes of all candidate graphs) */
  nodes: number
  examples: number
}

/**
 * Cuts `order` into batches, in order: a batch ends where the next example would break the budget. Depends on nothing but its
 * arguments: the same order gives the same batches.
 */
export function planBatches(order: readonly number[], sizeOf: (index: number) => number, budget: BatchBudget): number[][] {
  const batches: number[][] = []
  let batch: number[] = []
  let nodes = 0
  for (const index of order) {
    const size = sizeOf(index)
    if (batch.length > 0 && (nodes + size > budget.nodes || batch.length >= budget.examples)) {
      batches.push(batch)
      batch = []
      nodes = 0
    }
    batch.push(index)
    nodes += size
  }
  if (batch.length > 0) batches.push(batch)
  return batches
}
