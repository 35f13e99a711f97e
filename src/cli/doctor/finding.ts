import type { Finding } from '../../core/shared/finding.ts'

export const fine = (code: string, message: string): Finding => ({ level: 'ok', code, message, remedy: null })
export const warning = (code: string, message: string, remedy: string): Finding => ({
  level: 'warning',
  code,
  message,
  remedy,
})
export const wrong = (code: string, message: string, remedy: string): Finding => ({
  level: 'problem',
  code,
  message,
  remedy,
})
