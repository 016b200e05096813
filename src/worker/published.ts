import { type Artifact, readArtifactsOfRuns } from '../artifacts/store.js'
import type { TaskContext } from './task.js'

/**
 * The artifact of a training: what an earlier attempt published before it could end its run (the same weights come of every attempt), else
 * what `publish` makes now.
 */
export async function publishOnce(
  { platform, claim }: Pick<TaskContext<unknown>, 'platform' | 'claim'>,
  publish: () => Promise<Artifact>,
): Promise<Artifact> {
  const [before] = await readArtifactsOfRuns(platform.database, [claim.run.id])
  const artifact = before ?? (await publish())
  await claim.record({ type: 'artifact', artifactId: artifact.id, component: artifact.component, version: artifact.version })
  return artifact
}
