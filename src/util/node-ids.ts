/** Ids, in the graph, of the ledger's own things. */
export const runNodeId = (id: string): string => `run:${id}`
export const artifactNodeId = (id: string): string => `artifact:${id}`
export const datasetVersionNodeId = (id: string): string => `dataset-version:${id}`
