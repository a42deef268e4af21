# The usual words for people who type make; CMake does the work.
PREFIX ?= /usr/local

all:
	tools/setup.sh
	cmake --preset release
	cmake --build --preset release

install: all
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 0755 build/release/src/cli/service/ipfs-cluster-service $(DESTDIR)$(PREFIX)/bin/
	install -m 0755 build/release/src/cli/ctl/ipfs-cluster-ctl $(DESTDIR)$(PREFIX)/bin/

test:
	./test.sh

clean:
	rm -rf build

.PHONY: all install test clean
