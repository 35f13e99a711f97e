import { readFileSync } from 'node:fs'
import * as z from 'zod'

// `npm install` drops optional packages of other platforms from the lock without a word when the registry lacks them,
// and `npm ci` then refuses elsewhere. So every optional dependency that is named must have an entry.

const Entry = z.object({ optionalDependencies: z.record(z.string(), z.string()).default({}) })
const Lock = z.object({ packages: z.record(z.string(), Entry) })

const file = new URL('../package-lock.json', import.meta.url)
const { packages } = Lock.parse(JSON.parse(readFileSync(file, 'utf8')))
const named = Object.entries(packages).flatMap(([owner, { optionalDependencies }]) =>
  Object.keys(optionalDependencies).map((name) => ({ owner, name })),
)
const present = new Set(Object.keys(packages).map((path) => path.split('node_modules/').at(-1) ?? path))
const lost = named.filter(({ name }) => !present.has(name))

for (const { owner, name } of lost)
  console.error(
    `package-lock.json has no entry for ${name}, an optional dependency of ${owner || 'the root'}.`,
  )
console.log(`${named.length} optional dependencies are named in the lock, ${lost.length} have no entry.`)
process.exitCode = lost.length > 0 || named.length === 0 ? 1 : 0
