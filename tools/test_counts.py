#!/usr/bin/python3
"""usage: tools/test_counts.py [--broken N] TESTLOG.json...

Prints the end of what each failed test said, then `N passed, N failed, N skipped` over meson's test
logs, counting the cases of each cmocka program, and fails if one failed. A program that prints no cases is one case; N more failed before
they had a log.
"""
import json
import re
import sys

PASSED = re.compile(r'^\[       OK \] ', re.M)
FAILED = re.compile(r'^\[  FAILED  \] (?:.*: )?(\d+) test\(s\), listed', re.M)
SKIPPED = re.compile(r'^\[  SKIPPED \] (?:.*: )?(\d+) test\(s\), listed', re.M)
LINES = 12
WIDTH = 200


def cases(test):
    text = test.get('stdout', '') + '\n' + test.get('stderr', '')
    passed = len(PASSED.findall(text))
    failed, skipped = (sum(map(int, pattern.findall(text))) for pattern in (FAILED, SKIPPED))
    if test['result'] == 'SKIP':
        return 0, 0, max(skipped, 1)
    if test['result'] in ('OK', 'EXPECTEDFAIL'):
        return (passed if passed or skipped else 1), 0, skipped
    # A crash or a sanitizer's complaint fails the program though no case says so.
    return passed, max(failed, 1), skipped


def complain(log, test):
    """The end of a failed test's output, where whoever reads the last lines finds it."""
    text = test.get('stdout', '') + '\n' + test.get('stderr', '')
    print('FAILED %s (%s, %s, %.0f s), which ends:' % (test['name'], log, test['result'],
                                                      test['duration']))
    for line in [line for line in text.splitlines() if line.strip()][-LINES:]:
        print('    ' + line[:WIDTH])


def main():
    logs = sys.argv[1:]
    broken = 0
    if logs[:1] == ['--broken']:
        broken = int(logs[1])
        logs = logs[2:]
    total = [0, broken, 0]
    for path in logs:
        with open(path, encoding='utf-8') as log:
            for line in log:
                test = json.loads(line)
                counts = cases(test)
                if counts[1]:
                    complain(path, test)
                for i, count in enumerate(counts):
                    total[i] += count
    print('%d passed, %d failed, %d skipped' % tuple(total))
    return 1 if total[1] else 0


if __name__ == '__main__':
    sys.exit(main())
