import type { Preset } from '../preset.js'

// warp/_src/build.py, warp/_src/context.py
export const warp: Preset = {
  name: 'warp',
  about: "NVIDIA Warp's modules",
  variables: { WARP_CACHE_PATH: 'warp' },
  // `<version>/wp_<module>_<hash>/`, and `<version>/lto/<hash>/`.
  units: ['warp/*/lto/*', 'warp/*/*'],
  // `<final name>_p<pid>_t<thread>`, then renamed.
  temporary: ['warp/*/*_p[0-9]*_t[0-9]*', 'warp/*/lto/*_p[0-9]*_t[0-9]*'],
  checked: 'warp-lang 1.19.0, source',
}
