import { parentPort } from 'node:worker_threads'
import type { Chunk } from './batch.ts'
import { runChunk } from './batch.ts'

parentPort?.on('message', (chunk: Chunk) => {
  void runChunk(chunk).then((totals) => parentPort?.postMessage(totals))
})
