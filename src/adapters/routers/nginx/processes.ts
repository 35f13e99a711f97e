import { readdir, readFile, readlink } from 'node:fs/promises'

/** `id` is never that of another process: the kernel gives a pid again, but not with the same start. */
export type Running = { pid: number; id: string }
/** One that leaves accepts no connection any more and only ends what it has. */
export type Worker = Running & { isLeaving: boolean }

const MASTER = 'nginx: master process'
const WORKER = 'nginx: worker process'
/** How nginx names a worker that was told to leave; it closes its listening sockets in the same moment. */
const LEAVING = 'nginx: worker process is shutting down'

/** The master that runs with this configuration file, whatever its pid file says. */
export async function findMaster(configuration: string, hint: number | null): Promise<Running | null> {
  const isOurs = async (pid: number): Promise<boolean> => {
    const title = await titleOf(pid)
    return title.startsWith(MASTER) && title.split(/\s+/).includes(configuration)
  }
  if (hint !== null && (await isOurs(hint))) return await running(hint)
  for (const pid of await allPids()) if (await isOurs(pid)) return await running(pid)
  return null
}

export async function workersOf({ pid }: Running): Promise<Worker[]> {
  const found = await Promise.all((await childrenOf(pid)).map(workerOf))
  return found.flatMap((worker) => (worker === null ? [] : [worker]))
}

/** Workers whose master was killed: they go on serving, and hold the ports. Their error log in our folder gives them away. */
export async function orphansOf(errors: string): Promise<Worker[]> {
  const found = await Promise.all(
    (await allPids()).map(async (pid) => {
      const worker = await workerOf(pid)
      return worker !== null && (await holds(pid, errors)) ? [worker] : []
    }),
  )
  return found.flat()
}

/** Ids of sockets that a process holds, by inode. */
export async function socketsOf(pid: number): Promise<Set<string>> {
  const links = await Promise.all((await filesOf(pid)).map((file) => linkOf(pid, file)))
  return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []))
}

async function workerOf(pid: number): Promise<Worker | null> {
  const title = await titleOf(pid)
  if (!title.startsWith(WORKER)) return null
  const found = await running(pid)
  return found === null ? null : { ...found, isLeaving: title.startsWith(LEAVING) }
}

async function running(pid: number): Promise<Running | null> {
  const stat = await statOf(pid)
  return stat === null || stat.state === 'Z' ? null : { pid, id: `${pid}:${stat.start}` }
}

type Stat = { state: string; parent: number; start: string }

/** The name of the program, in parentheses, may hold blanks and parentheses itself (proc(5)). */
async function statOf(pid: number): Promise<Stat | null> {
  const text = await textOf(`/proc/${pid}/stat`)
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state, parent, start] = [fields[0], fields[1], fields[19]]
  return state === undefined || parent === undefined || start === undefined
    ? null
    : { state, parent: Number(parent), start }
}

/** Not every kernel lists children; then all processes are asked for their parent. */
async function childrenOf(pid: number): Promise<number[]> {
  const listed = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => null)
  if (listed !== null) return listed.split(' ').filter(Boolean).map(Number)
  const stats = await Promise.all((await allPids()).map(async (one) => ({ one, stat: await statOf(one) })))
  return stats.filter(({ stat }) => stat?.parent === pid).map(({ one }) => one)
}

async function holds(pid: number, file: string): Promise<boolean> {
  for (const name of await filesOf(pid)) if ((await linkOf(pid, name)) === file) return true
  return false
}

const titleOf = async (pid: number): Promise<string> =>
  (await textOf(`/proc/${pid}/cmdline`)).replaceAll('\0', ' ').trim()

const allPids = async (): Promise<number[]> =>
  (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number)

const filesOf = (pid: number): Promise<string[]> => readdir(`/proc/${pid}/fd`).catch(() => [])
const linkOf = (pid: number, file: string): Promise<string> =>
  readlink(`/proc/${pid}/fd/${file}`).catch(() => '')
/** Empty when it ended in this very moment. */
const textOf = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '')
