/** An undirected weighted edge between two named things. */
export interface WeightedPair {
  a: string
  b: string
  weight: number
}

/**
 * Groups of things that are tied more to each other than chance would have it: greedy modularity by moving one thing at a time (the first
 * phase of Louvain; Blondel et al. 2008), repeated until nothing moves. Things are visited by name, ties go to the smaller name, so the
 * answer depends on neither order nor chance. Things without a tie are left out; groups come largest first.
 */
export function communities(pairs: readonly WeightedPair[], resolution = 1): string[][] {
  const ties = new Map<string, Map<string, number>>()
  let total = 0
  for (const { a, b, weight } of pairs) {
    if (a === b || !(weight > 0)) continue
    total += weight
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const row = ties.get(from) ?? new Map<string, number>()
      row.set(to, (row.get(to) ?? 0) + weight)
      ties.set(from, row)
    }
  }
  const names = [...ties.keys()].sort()
  const degree = new Map(names.map((name) => [name, [...ties.get(name)!.values()].reduce((x, y) => x + y, 0)]))
  const home = new Map(names.map((name) => [name, name]))
  const weight = new Map(degree)
  for (let round = 0; round < 100; round++) {
    let moves = 0
    for (const name of names) {
      const here = home.get(name)!
      weight.set(here, weight.get(here)! - degree.get(name)!)
      const links = new Map<string, number>([[here, 0]])
      for (const [other, w] of ties.get(name)!) links.set(home.get(other)!, (links.get(home.get(other)!) ?? 0) + w)
      const gain = (group: string) => links.get(group)! - (resolution * weight.get(group)! * degree.get(name)!) / (2 * total)
      let best = here
      for (const group of [...links.keys()].sort()) if (gain(group) > gain(best) + 1e-12) best = group
      weight.set(best, weight.get(best)! + degree.get(name)!)
      home.set(name, best)
      moves += Number(best !== here)
    }
    if (moves === 0) break
  }
  const groups = new Map<string, string[]>()
  for (const name of names) groups.set(home.get(name)!, [...(groups.get(home.get(name)!) ?? []), name])
  return [...groups.values()].sort((x, y) => y.length - x.length || (x[0]! < y[0]! ? -1 : 1))
}
