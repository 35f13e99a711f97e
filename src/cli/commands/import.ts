import path from 'node:path'
import * as z from 'zod'
import { proposeFromCompose } from '../../config/import/compose/propose-compose.ts'
import { renderCompose } from '../../config/import/compose/render-compose.ts'
import { type ImportRequest, type NotMapped, proposeFromProcfile } from '../../config/import/propose.ts'
import { readText } from '../../config/import/read-text.ts'
import { renderProposal } from '../../config/import/render.ts'
import { writeProposal } from '../../config/import/write-proposal.ts'
import { projectFilesIn } from '../../config/init/project-files.ts'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import { type Problem, problem } from '../../core/shared/problem.ts'
import { ok, type Result } from '../../core/shared/result.ts'
import { defineCommand } from '../command.ts'
import { type Line, quiet, span, strong } from '../text/line.ts'

const DEFAULT_OUT = 'sluice.yaml'
/** As large as a sluice.yaml may be. */
const MAX_COMPOSE_BYTES = 256 * 1024

export const command = defineCommand({
  description:
    'Reads a Procfile or a Compose file and proposes a sluice.yaml, with environments for staging and production. Of a Procfile the web process becomes the service and workers become services of their own; of a Compose file each service that is released does, and databases stay with compose. Says what it could not map, and why. Of secrets only the names are used, never a value. Never overwrites a file.',
  arguments: [{ name: 'file', summary: 'the Procfile or Compose file', required: true }],
  options: [
    { flags: '--out <file>', summary: `file to write (default: ${DEFAULT_OUT})` },
    { flags: '--name <name>', summary: 'name of the service or Compose project (default: the folder)' },
    { flags: '--print', summary: 'print the file instead of writing it' },
  ],
  examples: [
    'sluice import Procfile',
    'sluice import compose.yaml --print',
    'sluice import app/Procfile --out sluice.yaml --name shop',
  ],
  input: z.object({
    file: z.string().min(1),
    out: z.string().min(1).default(DEFAULT_OUT),
    name: z.string().min(1).exactOptional(),
    print: z.boolean().default(false),
  }),
  async run(session, { file, out, name, print }) {
    const { cwd } = session.io
    const kind = kindOf(path.basename(file))
    if (kind === null) return session.fail(unknownKind(file))
    const from = path.resolve(cwd, file)
    const to = path.resolve(cwd, out)
    const text = readText(from, file, kind === 'compose' ? MAX_COMPOSE_BYTES : undefined)
    if (text.kind === 'failed') return session.fail(text.problem)
    const made = PROPOSE[kind]({
      file,
      text: text.value,
      files: projectFilesIn(path.dirname(from)),
      artifact: path.relative(path.dirname(to), path.dirname(from)).split(path.sep).join('/') || '.',
      ...(name === undefined ? {} : { name }),
    })
    if (made.kind === 'failed') return session.fail(made.problem)
    const { config, services, notMapped, toCheck } = made.value
    if (print) {
      session.value('config', { text: config, notMapped })
      session.say(
        config
          .trimEnd()
          .split('\n')
          .map((line) => [span(line)]),
      )
      return EXIT_CODE.promoted
    }
    const written = writeProposal(to, config)
    if (written.kind === 'failed') return session.fail(written.problem)
    session.value('imported', { file: to, services: services.map((one) => one.name), notMapped, toCheck })
    session.say(closingLines(to, made.value))
    return EXIT_CODE.promoted
  },
})

/** A proposal of whatever kind, in the words of this command. */
type Made = {
  config: string
  services: { name: string; kind: string }[]
  secrets: string[]
  notMapped: NotMapped[]
  toCheck: string[]
  /** How the first version is released. */
  deploy: string
}

function kindOf(name: string): 'procfile' | 'compose' | null {
  if (/^Procfile(\.[\w-]+)?$/.test(name)) return 'procfile'
  return /\.ya?ml$/.test(name) ? 'compose' : null
}

const PROPOSE: Record<'procfile' | 'compose', (request: ImportRequest) => Result<Made>> = {
  procfile: (request) => {
    const proposal = proposeFromProcfile(request)
    if (proposal.kind === 'failed') return proposal
    const { services, names, notMapped, toCheck } = proposal.value
    return ok({
      config: renderProposal(proposal.value),
      services: services.map(({ name, kind }) => ({ name, kind })),
      secrets: names.secrets,
      notMapped,
      toCheck,
      deploy: 'sluice deploy 1.0.0',
    })
  },
  compose: (request) => {
    const proposal = proposeFromCompose(request)
    if (proposal.kind === 'failed') return proposal
    const { services, left, notMapped, toCheck } = proposal.value
    const [first] = services
    return ok({
      config: renderCompose(proposal.value),
      services: services.map(({ name, listen, image }) => ({
        name,
        kind: `${listen ?? 'worker'}, ${image}`,
      })),
      secrets: [...new Set(services.flatMap(({ secrets }) => secrets))],
      notMapped: [...left, ...notMapped],
      toCheck,
      deploy: `sluice deploy VERSION --service ${first?.name}`,
    })
  },
}

const unknownKind = (file: string): Problem =>
  problem('IMPORT_UNKNOWN_KIND', {
    message: `${file} is no kind of file that can be imported.`,
    remedy: 'Name a Procfile or a Compose file, for example: sluice import compose.yaml.',
  })

function closingLines(file: string, { services, notMapped, toCheck, secrets, deploy }: Made): Line[] {
  return [
    [span('✓ ', 'good'), strong(`Wrote ${file}`)],
    ...services.map(({ name, kind }): Line => [quiet(`  ${name} (${kind})`)]),
    ...(secrets.length === 0 ? [] : [[quiet(`  Secrets by name, values not read: ${secrets.join(', ')}`)]]),
    ...notMapped.map(
      ({ name, line, why }): Line => [
        span('! ', 'attention'),
        span(`Not mapped: ${name} (line ${line}). ${why}`),
      ],
    ),
    ...toCheck.map((text): Line => [span('! ', 'attention'), span(`To check: ${text}`)]),
    [],
    [span('Next: look at the file, then')],
    [strong('  sluice validate'), quiet('          checks it')],
    [strong(`  ${deploy}`), quiet('      releases the first version')],
  ]
}
