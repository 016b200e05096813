import { type Logger, pino } from 'pino'

export type { Logger }

/** A JSON-lines logger on standard error (standard output belongs to the command's answer). */
export const createLogger = (level: string): Logger =>
  pino({ level, base: undefined, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ dest: 2, sync: true }))
