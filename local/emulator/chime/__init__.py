"""A stand-in for Amazon Chime SDK Meetings, inside the emulator process.

Requests and answers have the shapes of botocore's own service model; meetings keep the rules that AWS documents; what
happens in a meeting is sent to EventBridge. There is no media: `/_local/chime/...` plays the browsers.
"""
