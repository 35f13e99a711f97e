import * as z from 'zod'
import { type Reading, read, refused, scalar, shown } from './complaint.ts'

/** Each request on a shared address may be held against all of them once. */
const MAX_HOSTS = 100
const MAX_PATHS = 100
const LONGEST_PATH = 1000

const host = () =>
  scalar(readHost, { title: 'host name', examples: ['shop.example.org', '*.shop.example.org'] })
const prefix = () => scalar(readPrefix, { title: 'beginning of a path', pattern: '^/', examples: ['/api'] })
const pemFile = (of: string) => scalar((input) => readPemFile(input, of), { title: 'path' })

/** RFC 1123, with the underscore that many people use; a star may be the first label. */
const HOST = /^(\*\.)?[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/
const IPV6 = /^\[[0-9a-f:.]{2,45}\]$/

function readHost(input: unknown): Reading<string> {
  if (typeof input !== 'string' || input === '')
    return refused(
      'CONFIG_BAD_HOST',
      `is ${shown(input)}, but must be a host name`,
      'Write a name, for example shop.example.org.',
    )
  const name = input.toLowerCase().replace(/\.$/, '')
  if (name.length <= 253 && (HOST.test(name) || IPV6.test(name))) return read(name)
  return refused('CONFIG_BAD_HOST', `is ${shown(input)}, which is no host name`, remedyFor(name))
}

function remedyFor(name: string): string {
  if (name === '*') return 'Leave hosts out: a service without them takes every host.'
  const bare = name
    .replace(/^[a-z]+:\/\//, '')
    .replace(/[/?#].*$/, '')
    .replace(/:\d+$/, '')
  if (bare !== name && HOST.test(bare))
    return `Write ${bare}: the port is said by listen, and paths stand under "paths".`
  if (name.includes('*')) return 'A star stands for the whole first label: *.shop.example.org.'
  if (/[^\x21-\x7e]/.test(name)) return 'Write names with other letters as browsers send them (xn--...).'
  return 'Write a name, for example shop.example.org, or *.shop.example.org for each name below it.'
}

function readPrefix(input: unknown): Reading<string> {
  const bad = (what: string, remedy: string): Reading<string> =>
    refused('CONFIG_BAD_PATH', `is ${shown(input)}${what}`, remedy)
  if (typeof input !== 'string' || !/^\/[^\s?#*]*$/.test(input) || input.length > LONGEST_PATH)
    return bad(
      ', but must be the beginning of a path',
      'Write whole segments, for example /api: it takes /api and all below it.',
    )
  if (input !== '/' && input.endsWith('/'))
    return bad(' with a slash at its end', `Write ${input.replace(/\/+$/, '') || '/'}`)
  if (/\/\/|\/\.{1,2}(\/|$)/.test(input))
    return bad(', which browsers and servers read in different ways', 'Write it without //, . and ..')
  return read(input)
}

function readPemFile(input: unknown, of: string): Reading<string> {
  if (typeof input === 'string' && /-----BEGIN/.test(input))
    return refused(
      'CONFIG_BAD_PATH',
      `holds the ${of} itself`,
      'Write it to a file that only the user of Sluice can read, and its path here.',
    )
  if (typeof input === 'string' && input !== '' && !input.includes('\0') && !input.startsWith('~'))
    return read(input)
  return refused(
    'CONFIG_BAD_PATH',
    `is ${shown(input)}, but must be the path of a file`,
    `Write the path of the ${of}, for example ./tls/shop.pem.`,
  )
}

const unique = (what: string) => (names: string[], context: z.RefinementCtx) => {
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined)
    context.addIssue({
      code: 'custom',
      message: `has ${what} twice: ${twice}`,
      params: { code: 'CONFIG_CONFLICT', remedy: 'Remove one of the two.' },
    })
}

/** Which requests at its address are those of a service, and whether it speaks TLS there. */
export const entryKeys = {
  hosts: z
    .array(host())
    .min(1)
    .max(MAX_HOSTS)
    .superRefine(unique('a host'))
    .meta({ title: 'list of host names' })
    .describe(
      'Requests for these names only, whatever their port and case; `*.example.org` stands for exactly one label. Services with the same `listen` are told apart by it: the most specific host that fits wins. Without it every host is taken. What fits no service gets 404.',
    )
    .optional(),
  paths: z
    .array(prefix())
    .min(1)
    .max(MAX_PATHS)
    .superRefine(unique('a path'))
    .meta({ title: 'list of paths' })
    .describe(
      'Requests below these paths only, by whole segments: `/api` takes `/api` and `/api/cart`, not `/apis`. The longest one wins, and the path is passed on as it came. Without it every path is taken.',
    )
    .optional(),
  tls: z
    .strictObject({
      certificate: pemFile('certificate').describe(
        'PEM file with the certificate of the server first, then those between it and the root; relative to this file.',
      ),
      key: pemFile('key').describe(
        'PEM file with the private key, not encrypted; relative to this file. It is read where it is and never copied.',
      ),
    })
    .describe(
      'The data plane ends TLS (1.2 and later) with this certificate. Renewed files are taken over within seconds, when both fit together. A preview address speaks plain HTTP.',
    )
    .optional(),
}
