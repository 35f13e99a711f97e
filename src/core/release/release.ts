import * as z from 'zod'
import { ReleaseAbout } from './release-about.ts'
import { ServiceSettings } from './settings.ts'

/** Immutable and complete: what a version is in one environment. Never holds a secret value. */
export const Release = z.object({
  /** `<version>-<first 10 hex of the content hash>`: same content, same id. */
  id: z.string(),
  stream: z.string(),
  version: z.string(),
  artifact: z.object({
    digest: z.string(),
    folder: z.string(),
    bytes: z.int(),
    files: z.int(),
    /** A container image, by content; `folder` is empty then. */
    image: z.string().exactOptional(),
  }),
  settings: ServiceSettings,
  secretVersions: z.record(z.string(), z.string()),
  createdAt: z.number(),
  createdBy: z.string(),
  /** Set for a process that was taken under control while it ran; it has no artifact of ours to start again from. */
  adopted: z.boolean(),
  about: ReleaseAbout.exactOptional(),
})
export type Release = z.infer<typeof Release>
