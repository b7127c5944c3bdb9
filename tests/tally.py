"""What a test counts: checks that hold and checks that do not, and the line that a suite reads."""
passed = failed = 0


def ok(cond, name, more=""):
    """more: what tells why it does not hold; its end is shown."""
    global passed, failed
    if cond:
        passed += 1
    else:
        failed += 1
        print("FAIL %s %s" % (name, str(more)[-1500:]))
    return bool(cond)


def done():
    """The last line, and the exit code."""
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0
