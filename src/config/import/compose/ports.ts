import * as z from 'zod'
import { shown } from '../../complaint.ts'
import type { Keys } from './notes.ts'

/** One port of a container, and where Compose publishes it on the machine. */
export type Port = {
  /** The address that was said; `null` is every network of the machine. */
  host: string | null
  /** `null`: Compose takes any free one. */
  published: number | null
  target: number
  isTcp: boolean
  /** As it stands in the file. */
  text: string
}

const SHORT =
  /^(?:(\[[0-9A-Fa-f:.]{2,45}\]|\d{1,3}(?:\.\d{1,3}){3}):)?(?:(\d{1,5})?(-\d{1,5})?:)?(\d{1,5})(-\d{1,5})?(?:\/(\w+))?$/
const Short = z.union([z.string(), z.number()])
const Long = z.object({
  target: z.coerce.number(),
  published: z.union([z.string(), z.number()]).optional(),
  host_ip: z.string().optional(),
  protocol: z.string().default('tcp'),
})
const isPort = (port: number): boolean => Number.isInteger(port) && port >= 1 && port <= 65_535

/** The ports of a service in their order; what is no port is left out with the reason. */
export function portsOf(keys: Keys): Port[] {
  return (keys.read('ports', z.array(z.unknown())) ?? []).flatMap((item) => {
    const port = portOf(item)
    if (port === null) keys.leaveOut('ports', `${shown(item)} is no port that Compose knows.`)
    else if (/\d-\d/.test(port.text))
      keys.check(
        `${keys.service} publishes the range ${port.text}; its first port was taken. Instances get ports of their own.`,
      )
    return port ?? []
  })
}

/** Ports that only other containers reach. */
export function exposedBy(keys: Keys): number[] {
  const items = keys.read('expose', z.array(Short)) ?? []
  return items.map((item) => Number.parseInt(String(item), 10)).filter(isPort)
}

function portOf(item: unknown): Port | null {
  const short = Short.safeParse(item)
  const port = short.success ? shortPort(String(short.data)) : longPort(item)
  if (port === null || !isPort(port.target)) return null
  return port.published === null || isPort(port.published) ? port : null
}

function shortPort(text: string): Port | null {
  const [, host = null, published, , target, , protocol = 'tcp'] = SHORT.exec(text) ?? []
  if (target === undefined) return null
  return {
    host,
    published: published === undefined ? null : Number(published),
    target: Number(target),
    isTcp: protocol === 'tcp',
    text,
  }
}

function longPort(item: unknown): Port | null {
  const long = Long.safeParse(item)
  if (!long.success) return null
  const { target, published = '', host_ip: host = '', protocol } = long.data
  const first = /^\d{1,5}/.exec(String(published))?.[0]
  return {
    host: host === '' ? null : host.includes(':') ? `[${host.replace(/^\[|\]$/g, '')}]` : host,
    published: first === undefined ? null : Number(first),
    target,
    isTcp: protocol === 'tcp',
    text: `${published === '' ? '' : `${published}:`}${target}`,
  }
}
