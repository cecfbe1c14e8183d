"""Strict mode: rules of AWS that ministack does not keep.

ministack runs one request after the other, without quotas and without delay. Each rule here makes the emulator refuse,
conflict or throttle where AWS documents it; `rules` lists them with their sources and switches.
"""
