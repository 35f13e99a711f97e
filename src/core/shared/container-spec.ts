import * as z from 'zod'

export const Volume = z.object({
  /** An absolute path of the host, or the name of a volume of the engine. */
  source: z.string().min(1),
  /** An absolute path in the container. */
  target: z.string().startsWith('/'),
  readOnly: z.boolean(),
})
export type Volume = z.infer<typeof Volume>

/** How an instance stands in its container; the same for all versions until the file says something else. */
export const ContainerSettings = z.object({
  /** Where the program listens inside; `null`: a worker, nobody asks it anything. */
  port: z.int().min(1).max(65535).nullable(),
  /** A network of the engine that is there already; `null`: the engine's own default. */
  network: z.string().nullable().default(null),
  volumes: z.array(Volume).default([]),
  /** Secrets arrive as files, `/run/secrets/<name>`, and not as variables. */
  secretFiles: z.boolean().default(false),
  /** Enforced by the engine. Absent: it may take what the machine has. */
  cpus: z.number().positive().exactOptional(),
  memoryBytes: z.int().positive().exactOptional(),
})
export type ContainerSettings = z.infer<typeof ContainerSettings>

/** A container of one release. */
export const ContainerSpec = ContainerSettings.extend({
  /** By content: `registry.local/shop@sha256:...` or, where no registry knows it, the engine's own `sha256:...`. */
  image: z.string().min(1),
})
export type ContainerSpec = z.infer<typeof ContainerSpec>
