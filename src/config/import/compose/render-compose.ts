import { commandText, oneLine, SCHEMA_LINE } from '../../init/render.ts'
import type { EnvironmentProposal, Override } from './environments.ts'
import type { HealthWay } from './health.ts'
import type { ComposeProposal } from './propose-compose.ts'
import type { ProposedContainer } from './proposed-container.ts'
import type { Resources } from './resources.ts'

/** The proposed `sluice.yaml`, with a comment for all that did not fit. It loads as it is. */
export function renderCompose(proposal: ComposeProposal): string {
  const { from, services, environments, left, running, notMapped, toCheck } = proposal
  const entry = ({ name, line, why }: { name: string; line: number; why: string }) =>
    `${oneLine(name)} (line ${line}). ${oneLine(why)}`
  return [
    SCHEMA_LINE,
    `# Proposed by "sluice import ${oneLine(from)}". Every key and default: docs/reference/configuration.md, or run "sluice explain".`,
    ...left.map((one) => `# Stays with compose: ${entry(one)}`),
    ...toCheck.map((what) => `# To check: ${oneLine(what)}`),
    ...notMapped.map((one) => `# Not mapped: ${entry(one)}`),
    '',
    'services:',
    ...services.flatMap((service, index) => [
      ...(index === 0 ? [] : ['']),
      `  ${service.name}:`,
      ...indented(serviceLines(service), 4),
    ]),
    '',
    '# What differs where, so that all of them may be on one machine. Take what fits.',
    'environments:',
    ...environments.flatMap((environment) => indented(environmentLines(environment, running), 2)),
    '',
  ].join('\n')
}

const indented = (lines: readonly string[], by: number): string[] =>
  lines.map((line) => (line === '' ? '' : `${' '.repeat(by)}${line}`))
const quoted = (text: string): string => JSON.stringify(text)
const list = (items: readonly string[]): string => `[${items.map(quoted).join(', ')}]`

function serviceLines(service: ProposedContainer): string[] {
  const { listen } = service
  return [
    'run:',
    ...indented(runLines(service), 2),
    '',
    ...(listen === null
      ? [
          '# A worker: it takes its work from elsewhere, and its share of the work is its share of the instances.',
          'listen: none',
        ]
      : [`listen: ${quoted(listen)}`]),
    '',
    'health:',
    ...indented(healthLines(service), 2),
    '',
    'strategy:',
    '  canary: standard',
  ]
}

function runLines(service: ProposedContainer): string[] {
  const { image, command, port, replicas, resources, env, envFile, secrets, network, volumes } = service
  const variables = Object.entries(env)
  return [
    '# {{version}} is what is deployed; its digest is looked up once and is what runs.',
    `image: ${quoted(image)}`,
    ...(command.length === 0 ? [] : [`command: ${commandText(command)}`]),
    ...(port === null
      ? []
      : [
          '# Where the program listens in its container; it is in the variable PORT as well.',
          `port: ${port}`,
        ]),
    `replicas: ${replicas}`,
    ...(isEmpty(resources) ? [] : [`resources: ${resourcesText(resources)}`]),
    ...(envFile.length === 0 ? [] : [`envFile: ${list(envFile)}`]),
    ...(variables.length === 0
      ? []
      : ['env:', ...variables.map(([name, value]) => `  ${name}: ${quoted(value)}`)]),
    ...secretLines(secrets, service.secretFiles),
    ...(network === null ? [] : [`network: ${quoted(network)}`]),
    ...(volumes.length === 0 ? [] : ['volumes:', ...volumes.map((volume) => `  - ${quoted(volume)}`)]),
    ...(service.stopGrace === null ? [] : [`stopGrace: ${service.stopGrace}`]),
  ]
}

/** No value ever: the names are enough to be told at the first deployment which ones are missing. */
const secretLines = (secrets: readonly string[], asFiles: boolean): string[] =>
  secrets.length === 0
    ? []
    : [
        '# By name; the values come from .sluice/secrets.env (mode 0600) or from the environment of the agent.',
        `secrets: [${secrets.join(', ')}]`,
        ...(asFiles ? ['# As files: /run/secrets/<name>.', 'secretFiles: true'] : []),
      ]

function healthLines({ health: { way, times, seenAt }, checks }: ProposedContainer): string[] {
  return [
    ...(seenAt === null ? [] : [`# Seen in ${oneLine(seenAt)}.`]),
    ...wayLines(way),
    ...Object.entries(times).map(([key, value]) => `${key}: ${value}`),
    ...(checks.length === 0
      ? []
      : ['checks:', ...checks.map(({ name, tcp }) => `  - { name: ${quoted(name)}, tcp: ${quoted(tcp)} }`)]),
  ]
}

function wayLines(way: HealthWay): string[] {
  switch (way.kind) {
    case 'path':
      return [`path: ${quoted(way.path)}`]
    case 'command':
      return [`command: ${commandText(way.command)}`]
    case 'tcp':
      return ['tcp: true']
    case 'unknown':
      return ['# Nobody can ask it: it is ready once it has run for so long.', 'runs: 10s']
  }
}

function environmentLines(
  { name, project, services }: EnvironmentProposal,
  running: readonly string[],
): string[] {
  return [
    `${name}:`,
    ...(running.length === 0
      ? []
      : [`  # What stays with compose: docker compose -p ${project} up -d ${oneLine(running.join(' '))}`]),
    '  services:',
    ...services.flatMap((override) => [
      `    ${override.service}:`,
      ...(override.listen === null ? [] : [`      listen: ${quoted(override.listen)}`]),
      `      run: ${runOverride(override)}`,
    ]),
  ]
}

const runOverride = ({ replicas, resources, network, volumes }: Override): string =>
  `{ ${[
    `replicas: ${replicas}`,
    ...(isEmpty(resources) ? [] : [`resources: ${resourcesText(resources)}`]),
    ...(network === null ? [] : [`network: ${quoted(network)}`]),
    ...(volumes === null ? [] : [`volumes: ${list(volumes)}`]),
  ].join(', ')} }`

const isEmpty = (resources: Resources): boolean => Object.keys(resources).length === 0
const resourcesText = ({ cpus, memory }: Resources): string =>
  `{ ${[...(cpus === undefined ? [] : [`cpus: ${cpus}`]), ...(memory === undefined ? [] : [`memory: ${memory}`])].join(', ')} }`
