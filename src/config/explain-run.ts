import type { InstanceResources, ServiceSettings } from '../core/release/settings.ts'
import type { Volume } from '../core/shared/container-spec.ts'
import { sizeText } from './size.ts'
import { durationText } from './units.ts'
import { listText, listValues, type Value, wordText } from './value-text.ts'

export const runValues = (run: ServiceSettings['run']): Value[] => [
  ['target', run.container === undefined ? 'processes' : 'docker'],
  ...programValues(run),
  ['run.replicas', String(run.replicas)],
  ...(Object.keys(run.env).length === 0 ? [['run.env', '{}'] as const] : []),
  ...Object.entries(run.env).map(([name, value]) => [`run.env.${name}`, wordText(value)] as const),
  ['run.secrets', listText(run.secrets)],
  ['run.stopGrace', durationText(run.stopGraceMs)],
  ...(run.quiesce === undefined
    ? []
    : [...quiesceValues(run.quiesce), ['run.grace', durationText(run.quiesce.graceMs)] as const]),
  ...resourceValues(run.resources),
]

function programValues({ artifact, command, container }: ServiceSettings['run']): Value[] {
  if (container === undefined)
    return [
      ['run.artifact', artifact],
      ['run.command', listText(command)],
    ]
  const { port, network, volumes, secretFiles } = container
  return [
    ['run.image', artifact],
    ...(command.length === 0 ? [] : [['run.command', listText(command)] as const]),
    ...(port === null ? [] : [['run.port', String(port)] as const]),
    ...(network === null ? [] : [['run.network', network] as const]),
    ...listValues('run.volumes', volumes, volumeText),
    ['run.secretFiles', String(secretFiles)],
  ]
}

const volumeText = ({ source, target, readOnly }: Volume): string =>
  wordText(`${source}:${target}${readOnly ? ':ro' : ''}`)

const quiesceValues = (quiesce: NonNullable<ServiceSettings['run']['quiesce']>): Value[] =>
  'signal' in quiesce
    ? [['run.quiesce', quiesce.signal]]
    : [
        ['run.quiesce.command', listText(quiesce.command)],
        ['run.quiesce.timeout', durationText(quiesce.timeoutMs)],
      ]

const resourceValues = ({ cpus, memoryBytes }: InstanceResources): Value[] =>
  cpus === undefined && memoryBytes === undefined
    ? [['run.resources', '{}']]
    : [
        ...(cpus === undefined ? [] : [['run.resources.cpus', String(cpus)] as const]),
        ...(memoryBytes === undefined ? [] : [['run.resources.memory', sizeText(memoryBytes)] as const]),
      ]
