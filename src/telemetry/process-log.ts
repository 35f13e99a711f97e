import { EventEmitter } from 'node:events'
import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino'
import type { Component } from './metric-table.ts'

const LEVELS = ['debug', 'info', 'warn', 'error'] as const
type Level = (typeof LEVELS)[number]
const DEFAULT_LEVEL: Level = 'info'
/** One name for all processes of an installation: proxy and agent inherit it from the controller that starts them. */
const LEVEL_VARIABLE = 'SLUICE_LOG_LEVEL'

/**
 * The log of one process: a line of JSON each, with `time`, `level`, `component`, `pid`, a message that never varies and
 * fields. A level that does not exist is no reason to stop a data plane: the log says so and goes on with `info`.
 *
 * @example createProcessLog('proxy', pino.destination(2)).info({ stream: 'shop.local' }, 'listener opened')
 */
export function createProcessLog(
  component: Component,
  destination: DestinationStream,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Logger {
  const wanted = env[LEVEL_VARIABLE] ?? ''
  // A full disk takes the log, too: lines are lost then, and the work goes on.
  if (destination instanceof EventEmitter) destination.on('error', () => undefined)
  const level = LEVELS.find((one) => one === wanted.toLowerCase())
  const log = pino(
    {
      level: level ?? DEFAULT_LEVEL,
      base: { component, pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  )
  if (level === undefined && wanted !== '')
    log.warn({ wanted: wanted.slice(0, 40), levels: LEVELS }, `${LEVEL_VARIABLE} names no level`)
  return log
}
