import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findProgram } from '../../scripts/testbed/programs.ts'
import { createHaproxy } from '../../src/adapters/routers/haproxy/haproxy.ts'
import { until } from '../kit/processes.ts'
import { startChild } from './child.ts'
import { type ByHand, type RouterUnderTest, SILENT } from './router-under-test.ts'

const LISTENS_LIMIT_MS = 5_000

export const haproxy: RouterUnderTest = {
  name: 'haproxy',
  ways: {
    debian:
      "with Debian's access log: `log` to a unix socket and `option httplog`, which names the server and its times, so that versions can be compared; in place of rsyslog or journald a small program takes each line and writes it to a file",
    none: 'without any log',
  },
  createPlane: (folder) => createHaproxy({ folder, log: SILENT, now: Date.now }),
  async startByHand(place) {
    const program = findProgram('haproxy')
    if (program === null) throw new Error('haproxy is not installed')
    const receiver = place.way === 'none' ? null : await startReceiver(place.folder)
    const config = join(place.folder, `by-hand-${place.way}.cfg`)
    await writeFile(config, configOf(place))
    const child = startChild(program, ['-db', '-f', config])
    return {
      stop: async () => {
        await child.stop()
        await receiver?.stop()
      },
    }
  },
}

const socketIn = (folder: string): string => join(folder, 'log.sock')

/** Node speaks no unix datagrams; Perl does, and Debian always has it. */
async function startReceiver(folder: string) {
  const program = findProgram('perl')
  if (program === null) throw new Error('perl is not installed')
  const file = join(folder, 'by-hand.log')
  const child = startChild(program, ['-MIO::Socket::UNIX', '-e', RECEIVER, socketIn(folder), file])
  await until(async () => existsSync(socketIn(folder)), {
    limitMs: LISTENS_LIMIT_MS,
    what: 'the receiver of log lines to listen',
  })
  return child
}

const RECEIVER =
  'my $s = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die; open(my $f, ">>", $ARGV[1]) or die; print $f $_ while defined $s->recv($_, 65536);'

const logLines = ({ way, folder }: ByHand) =>
  way === 'none'
    ? { global: '', defaults: '' }
    : {
        global: `  log ${socketIn(folder)} local0`,
        defaults: '  log global\n  option httplog\n  option dontlognull',
      }

const configOf = (place: ByHand): string => `
global
${logLines(place).global}
defaults
  mode http
${logLines(place).defaults}
  timeout connect 1s
  timeout client 60s
  timeout server 60s
  option forwardfor
frontend all
  bind 127.0.0.1:${place.port}
  default_backend app
backend app
  balance roundrobin
  server stable 127.0.0.1:${place.originPort} weight 95
  server candidate 127.0.0.1:${place.originPort} weight 5
`
