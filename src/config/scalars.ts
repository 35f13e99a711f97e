import { LATENCY_BOUNDS_MS } from '../core/shared/histogram.ts'
import { readCommand } from './command-words.ts'
import { type Reading, read, refused, scalar, shown } from './complaint.ts'
import { checkPlaceholders } from './placeholders.ts'
import { readSize, SIZE_PATTERN } from './size.ts'
import { durationText, readDuration, readPercent, readWeight } from './units.ts'

const DURATION_PATTERN = '(\\d+(\\.\\d+)?(ms|s|m|h|d))+'
const PERCENT_PATTERN = '\\d+(\\.\\d+)?\\s?%'

export const duration = (limits: { minMs?: number; maxMs?: number } = {}) =>
  scalar((input) => readDuration(input, limits), { title: 'duration', pattern: `^${DURATION_PATTERN}$` })

/** A duration or one word that stands for "no end" (`null`). */
export const durationOr = (word: string) =>
  scalar(
    (input): Reading<number | null> => (input === word ? read(null) : orWord(readDuration(input), word)),
    {
      title: `duration or ${word}`,
      pattern: `^(${DURATION_PATTERN}|${word})$`,
    },
  )

export const percent = (limits: { min?: number; max?: number } = {}) =>
  scalar((input) => readPercent(input, limits), { title: 'percentage', pattern: `^${PERCENT_PATTERN}$` })

export const size = (leastBytes?: number) =>
  scalar((input) => readSize(input, leastBytes), {
    title: 'size',
    type: ['string', 'number'],
    pattern: SIZE_PATTERN,
  })

export const weight = () => scalar(readWeight, { title: 'percentage', pattern: `^${PERCENT_PATTERN}$` })

/** A limit that can be switched off. */
export const percentOrOff = () =>
  scalar((input) => offOr(input, readPercent), {
    title: 'percentage or off',
    pattern: `^(${PERCENT_PATTERN}|off)$`,
  })
export const durationOrOff = (limits: { minMs?: number; maxMs?: number } = {}) =>
  scalar((input) => offOr(input, (one) => readDuration(one, limits)), {
    title: 'duration or off',
    pattern: `^(${DURATION_PATTERN}|off)$`,
  })
/** A bound of the latency histogram: only there can be counted exactly how many requests were slower. */
export const latencyLimitOrOff = () =>
  scalar((input) => offOr(input, readLatencyLimit), {
    title: 'duration or off',
    pattern: `^(${DURATION_PATTERN}|off)$`,
  })
/** The same without a way to switch it off. */
export const latencyLimit = () =>
  scalar(readLatencyLimit, { title: 'duration', pattern: `^${DURATION_PATTERN}$` })
export const factorOrOff = () =>
  scalar((input) => offOr(input, readFactor), { title: 'number or off', type: ['string', 'number'] })

export const command = () => scalar(readCommand, { title: 'command', type: ['string', 'array'] })
export const artifact = () => scalar(readArtifact, { title: 'path' })
export const envFile = () => scalar(readEnvFilePath, { title: 'path' })
export const urlPath = () => scalar(readUrlPath, { title: 'path of a URL', pattern: '^/' })
export const listenAddress = () => scalar(readListenAddress, { title: 'address', type: ['string', 'number'] })
/** `null` is `none`: nothing comes in there. */
export const listenAddressOrNone = () =>
  scalar(
    (input): Reading<{ host: string; port: number } | null> =>
      input === 'none' ? read(null) : readListenAddress(input),
    { title: 'address or none', type: ['string', 'number'] },
  )
export const connectAddress = () =>
  scalar(readConnectAddress, { title: 'address', type: ['string', 'number'] })
export const envValue = () => scalar(readEnvValue, { title: 'text', type: ['string', 'number', 'boolean'] })
export const secretName = () => scalar(readVariableName, { title: 'name', pattern: VARIABLE_NAME.source })
export const webhookUrl = () => scalar(readWebhookUrl, { title: 'URL', pattern: '^https?://' })

/** One name would get lost in an object (`lost-keys.ts`). */
export const VARIABLE_NAME = /^(?!__proto__$)[A-Za-z_][A-Za-z0-9_]*$/

function offOr<T>(input: unknown, reader: (input: unknown) => Reading<T>): Reading<T | 'off'> {
  // Editors that still speak YAML 1.1 hand over `off` as `false`.
  return input === 'off' || input === false ? read('off') : orWord(reader(input), 'off')
}

/** Adds the word to the remedy, so that people learn it exists. */
function orWord<T>(reading: Reading<T>, word: string): Reading<T> {
  if (reading.kind === 'ok') return reading
  return {
    kind: 'refused',
    complaint: {
      ...reading.complaint,
      remedy: `${reading.complaint.remedy} The word ${word} is possible too.`,
    },
  }
}

function readLatencyLimit(input: unknown): Reading<number> {
  const reading = readDuration(input)
  if (reading.kind === 'refused') return reading
  if (LATENCY_BOUNDS_MS.some((bound) => bound === reading.value)) return reading
  const below = LATENCY_BOUNDS_MS.findLast((bound) => bound < reading.value)
  const above = LATENCY_BOUNDS_MS.find((bound) => bound > reading.value)
  const nearest = [below, above].filter((bound) => bound !== undefined).map(durationText)
  return refused(
    'CONFIG_LATENCY_BOUND',
    `is ${shown(input)}, which is not a bound of the latency histogram`,
    `Write ${nearest.join(' or ')}: slower requests are counted exactly only at ${LATENCY_BOUNDS_MS.map(durationText).join(', ')}.`,
  )
}

function readFactor(input: unknown): Reading<number> {
  if (typeof input !== 'number' || !Number.isFinite(input))
    return refused(
      'CONFIG_WRONG_TYPE',
      `is ${shown(input)}, but must be a number`,
      'Write how many times, for example 2.',
    )
  if (input < 1)
    return refused('CONFIG_OUT_OF_RANGE', `is ${input}, but must be at least 1`, 'Write 1 or more.')
  return read(input)
}

const tildeWords = (input: string): [message: string, remedy: string] => [
  `begins with ~, which only a shell understands: ${shown(input)}`,
  'Write the path in full, or relative to this file.',
]

function readArtifact(input: unknown): Reading<string> {
  if (typeof input !== 'string' || input === '' || input.includes('\0'))
    return refused(
      'CONFIG_BAD_PATH',
      `is ${shown(input)}, but must be a path`,
      'Write a folder, tarball or file, for example ./releases/{{version}}.',
    )
  if (input.startsWith('~')) return refused('CONFIG_BAD_PATH', ...tildeWords(input))
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(input))
    return refused(
      'CONFIG_NOT_YET',
      `is the URL ${shown(input)}`,
      'This version reads artifacts from disk: download it and write its path.',
    )
  return checkPlaceholders(input, ['version'], 'Only the version is known when the artifact is looked up.')
}

function readEnvFilePath(input: unknown): Reading<string> {
  if (typeof input !== 'string' || input === '' || input.includes('\0'))
    return refused(
      'CONFIG_BAD_PATH',
      `is ${shown(input)}, but must be a path`,
      'Write the path of a file with NAME=value lines, for example ./common.env.',
    )
  if (input.startsWith('~')) return refused('CONFIG_BAD_PATH', ...tildeWords(input))
  return checkPlaceholders(input, [], 'Write the name of the file itself.')
}

function readUrlPath(input: unknown): Reading<string> {
  if (typeof input === 'string' && /^\/[!-~]*$/.test(input) && !input.includes('#')) return read(input)
  const path = typeof input === 'string' ? nearestUrlPath(input) : '/up'
  return refused(
    'CONFIG_BAD_PATH',
    `is ${shown(input)}, but must be the path of a URL, beginning with /`,
    `Write ${path.slice(0, 60)}`,
  )
}

/** What a request could ask for: without host, blanks and fragment, and with `%C3%BC` in place of a letter that is not ASCII. */
const nearestUrlPath = (input: string): string =>
  input
    .toWellFormed()
    .replace(/^https?:\/\/[^/]+/, '')
    .replace(/[\s#].*$/s, '')
    .replace(/^\/*/, '/')
    .replace(/[^!-~]+/g, encodeURIComponent)

/** `8080`, `localhost:8080`, `127.0.0.1:8080`, `[::1]:8080`. Port 0 takes any free one. */
function readListenAddress(input: unknown): Reading<{ host: string; port: number }> {
  if (typeof input === 'number' || (typeof input === 'string' && /^\d+$/.test(input)))
    return withPort('127.0.0.1', Number(input))
  const parts =
    typeof input === 'string'
      ? /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})))?:(\d{1,5})$/.exec(input)
      : null
  const host = parts?.[1] ?? parts?.[2]
  if (parts !== null && host === undefined)
    return refused(
      'CONFIG_BAD_ADDRESS',
      `is ${shown(input)}, without a host`,
      `Write 127.0.0.1:${parts[3]} for this machine only, or 0.0.0.0:${parts[3]} for every network.`,
    )
  if (parts === null || host === undefined)
    return refused(
      'CONFIG_BAD_ADDRESS',
      `is ${shown(input)}, which is no address`,
      'Write host:port, for example 127.0.0.1:8080, or [::1]:8080 for IPv6.',
    )
  return withPort(host, Number(parts[3]))
}

/** The address of somebody else, who has a port for certain. */
function readConnectAddress(input: unknown): Reading<{ host: string; port: number }> {
  const address = readListenAddress(input)
  if (address.kind === 'refused' || address.value.port !== 0) return address
  return refused(
    'CONFIG_BAD_ADDRESS',
    'has the port 0, to which nobody can connect',
    'Write the port where the other side listens, for example db.internal:5432.',
  )
}

function withPort(host: string, port: number): Reading<{ host: string; port: number }> {
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return read({ host, port })
  return refused(
    'CONFIG_BAD_ADDRESS',
    `has the port ${port}, which does not exist`,
    'Write a port from 1 to 65535.',
  )
}

export function readEnvValue(input: unknown): Reading<string> {
  if (typeof input !== 'string' && typeof input !== 'number' && typeof input !== 'boolean')
    return refused(
      'CONFIG_WRONG_TYPE',
      `is ${shown(input)}, but must be text`,
      'Write one value, in quotes if it has special characters.',
    )
  if (String(input).includes('\0'))
    return refused('CONFIG_WRONG_TYPE', 'contains a zero byte', 'Remove it: no variable can hold one.')
  return checkPlaceholders(String(input), ['port'], 'The version is in the variable SLUICE_VERSION.')
}

function readVariableName(input: unknown): Reading<string> {
  if (typeof input === 'string' && VARIABLE_NAME.test(input)) return read(input)
  return refused(
    'CONFIG_BAD_NAME',
    `is ${shown(input)}, which cannot be the name of a variable`,
    'Use letters, digits and underscores, for example DATABASE_URL. Write the name of the secret, never its value.',
  )
}

function readWebhookUrl(input: unknown): Reading<string> {
  const url =
    typeof input === 'string' && /^https?:\/\//i.test(input) && !/\s/.test(input) ? URL.parse(input) : null
  if (url === null || typeof input !== 'string')
    return refused(
      'CONFIG_BAD_URL',
      'is not an http or https URL',
      'Write the whole address, for example https://hooks.example.com/sluice.',
    )
  if (url.username !== '' || url.password !== '')
    return refused(
      'CONFIG_BAD_URL',
      'holds a user name or password',
      'Remove it from the URL: messages are signed with the secret instead.',
    )
  return read(input)
}
