import * as z from 'zod'
import type { Finding } from '../../core/shared/finding.ts'
import type { KeptImage } from '../../core/shared/kept-image.ts'
import type { Problem } from '../../core/shared/problem.ts'
import { ok, type Result } from '../../core/shared/result.ts'
import type { SetRegistry } from '../set-registry.ts'
import type { Engine } from './engine.ts'
import { type EngineFacts, engineFindings } from './findings.ts'
import { askFor } from './images/ask-for.ts'
import type { ImageStore } from './images/image-store.ts'
import { pinName } from './images/pins.ts'
import { LABEL } from './labels.ts'

type DiagnoseParts = {
  engine: Engine
  images: ImageStore
  /** The installation: the folder of the agent. */
  folder: string
  registry: SetRegistry
}

const Info = z.object({ ServerVersion: z.string(), LiveRestoreEnabled: z.boolean().default(false) })
const Containers = z.array(
  z.object({ Names: z.array(z.string()), State: z.string(), Labels: z.record(z.string(), z.string()) }),
)

/** Looks at the engine for `sluice doctor`. Where nothing of this installation is a container, nobody asks an engine anything. */
export async function diagnoseEngine(
  parts: DiagnoseParts,
  kept: readonly KeptImage[],
): Promise<Result<Finding[]>> {
  const pins = await parts.images.pins()
  if (pins.kind === 'failed')
    return pins.problem.code.startsWith('DOCKER_') ? ok([asFinding(pins.problem)]) : pins
  const hasContainers = parts.registry.sets().some(({ spec }) => spec?.container !== undefined)
  if (kept.length === 0 && pins.value.length === 0 && !hasContainers) return ok([])
  const facts = await factsOf(parts, { kept, pins: pins.value })
  return ok(facts.kind === 'ok' ? engineFindings(facts.value) : [asFinding(facts.problem)])
}

type Held = { kept: readonly KeptImage[]; pins: { digest: string; kind: 'pulled' | 'held'; bytes: number }[] }

async function factsOf(
  { engine, images, folder, registry }: DiagnoseParts,
  { kept, pins }: Held,
): Promise<Result<EngineFacts>> {
  const info = await askFor(engine, { what: 'tell about itself', shape: Info }, (docker) => docker.info())
  if (info.kind === 'failed') return info
  const label = [`${LABEL.folder}=${folder}`]
  const containers = await askFor(engine, { what: 'list containers', shape: Containers }, (docker) =>
    docker.listContainers({ all: true, filters: { label } }),
  )
  if (containers.kind === 'failed') return containers
  const held = new Set(pins.map(({ digest }) => digest))
  const missing = await missingOf(
    { engine, images },
    kept.filter(({ digest }) => !held.has(digest)),
  )
  if (missing.kind === 'failed') return missing
  return ok({
    where: engine.where,
    version: info.value.ServerVersion,
    livesThroughRestart: info.value.LiveRestoreEnabled,
    kept: [...kept],
    pins: pins.map((pin) => ({ digest: pin.digest, bytes: pin.bytes, name: pinName(folder, pin) })),
    missing: missing.value,
    pinNameOf: (digest) => pinName(folder, { kind: 'held', digest }),
    containers: containers.value.map(({ Names, State, Labels }) => ({
      name: (Names[0] ?? '').replace(/^\//, ''),
      state: State,
      instance: Labels[LABEL.instance] ?? '',
      service: Labels[LABEL.service] ?? '',
    })),
    known: new Set(registry.instances().map(({ id }) => id)),
  })
}

async function missingOf(
  { engine, images }: Pick<DiagnoseParts, 'engine' | 'images'>,
  kept: readonly KeptImage[],
): Promise<Result<Map<string, Problem | null>>> {
  const gone: KeptImage[] = []
  for (const one of kept) {
    const found = await engine.ask({ what: `look at the image ${one.image}` }, (docker) =>
      docker.getImage(one.image).inspect(),
    )
    if (found.kind === 'ok') continue
    if (found.problem.code !== 'DOCKER_NOT_FOUND') return found
    gone.push(one)
  }
  const asked = await Promise.all(
    gone.map(async ({ image, digest }): Promise<[string, Problem | null]> => {
      const there = await images.isPullable(image)
      return [digest, there.kind === 'ok' ? null : there.problem]
    }),
  )
  return ok(new Map(asked))
}

const asFinding = ({
  code,
  message,
  remedy,
}: Pick<Finding, 'code' | 'message'> & { remedy: string }): Finding => ({
  level: 'problem',
  code,
  message,
  remedy,
})
