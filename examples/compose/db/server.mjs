// What stands for a database: numbers by name, kept in a file of its volume. One of it, for good.
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'

const FILE = `${process.env.DATA ?? '/data'}/stock.log`
mkdirSync(FILE.replace(/\/[^/]*$/, ''), { recursive: true })
const stock = new Map([['mug', 1000]])
if (existsSync(FILE))
  for (const line of readFileSync(FILE, 'utf8').split('\n')) {
    const [name, count] = line.split(' ')
    if (count !== undefined) stock.set(name, Number(count))
  }

// GET /mug tells how many there are, POST /mug takes one away, POST /mug?add=5 brings five.
createServer((request, response) => {
  const url = new URL(request.url, 'http://db')
  const name = url.pathname.slice(1)
  if (name === 'up') return response.end('ok')
  const count = stock.get(name)
  if (count === undefined) return response.writeHead(404).end()
  if (request.method === 'POST') {
    stock.set(name, count + Number(url.searchParams.get('add') ?? -1))
    appendFileSync(FILE, `${name} ${stock.get(name)}\n`)
  }
  response.end(String(stock.get(name)))
}).listen(7000)
process.on('SIGTERM', () => process.exit(0))
