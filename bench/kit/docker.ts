import { type DockerStand as Stand, startDocker, whyNoDocker } from '../../test/live/kit/docker.ts'
import { cleanupOf } from './cleanup.ts'

export type DockerStand = Stand

/** One engine for all who ask, begun by the first; a text says why there is none. */
export function engineOnce(): { docker(): Promise<DockerStand | string>; close(): Promise<void> } {
  let started: Promise<{ stand: DockerStand; close: () => Promise<void> }> | null = null
  return {
    docker: async () => {
      const why = whyNoDocker()
      if (why !== null) return why
      started ??= startDocker().then((stand) => ({ stand, close: cleanupOf(() => stand.close()) }))
      return (await started).stand
    },
    close: async () => {
      if (started !== null) await (await started).close()
    },
  }
}
