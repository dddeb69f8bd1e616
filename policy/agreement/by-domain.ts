import type { ResolveUser } from './parse.ts'

/** Whose mail domain it is, only a marketplace tells; for reading alone the domain itself will do. */
export const byDomain = (address: string): NonNullable<ReturnType<ResolveUser>> => ({
  organisation: address.slice(address.lastIndexOf('@') + 1),
  name: address
})
