/**
 * A hook of Node's module loader: what a module imports is as fresh as it is itself. A process that imports a test as
 * `…/key.test.js?trial=7` reads it and all of the product anew, and the packages under node_modules/ only once.
 */
import type { ResolveHook } from 'node:module'

export const resolve: ResolveHook = async (specifier, context, next) => {
  const found = await next(specifier, context)
  const trial = context.parentURL === undefined ? '' : new URL(context.parentURL).search
  const isOurs = found.url.startsWith('file:') && !found.url.includes('/node_modules/')
  return trial === '' || !isOurs || new URL(found.url).search !== ''
    ? found
    : { ...found, url: found.url + trial }
}
