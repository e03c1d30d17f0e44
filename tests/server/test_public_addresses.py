"""Which addresses a stranger's URL may lead to."""
import pytest

from modelscope_aams.server.addresses import is_public

PUBLIC = ['8.8.8.8', '1.1.1.1', '93.184.215.14', '172.15.255.255', '172.32.0.0', '100.63.255.255',
          '192.167.255.255', '11.0.0.0', '126.255.255.255', '223.255.255.255',
          '2606:4700:4700::1111', '2001:4860:4860::8888', '2a00:1450:4001:80b::200e',
          '::ffff:8.8.8.8', '64:ff9b::8.8.8.8']

PRIVATE = [
    # This machine, any of its names, and "this network".
    '127.0.0.1', '127.255.255.254', '0.0.0.0', '0.1.2.3', '::1', '::',
    # Private, shared, link-local (where clouds keep credentials).
    '10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.0.1', '100.64.0.1',
    '100.127.255.255', '169.254.169.254', '169.254.0.1', 'fe80::1', 'fe80::1%eth0', 'fc00::1',
    'fd00:ec2::254', 'fec0::1',
    # Documentation, benchmarks, protocols, reserved, everybody.
    '192.0.2.1', '198.51.100.1', '203.0.113.1', '198.18.0.1', '192.0.0.1', '192.0.0.8',
    '192.0.0.192', '240.0.0.1',
    '255.255.255.255', '2001:db8::1', '3fff:fff::1', '100::1', '4000::1',
    # Multicast.
    '224.0.0.1', '239.255.255.255', 'ff02::1', 'ff0e::1',
    # IPv4 in IPv6.
    '::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:169.254.169.254', '::ffff:a9fe:a9fe',
    '::127.0.0.1', '::7f00:1', '64:ff9b::127.0.0.1', '64:ff9b::a00:1', '64:ff9b:1::8.8.8.8',
    '2002:7f00:1::', '2002:a00:1::1', '2002:808:808::1', '2001:0:a00:1::1',
    # No numeric addresses as they come from a look-up.
    '', 'localhost', '2130706433', '0x7f000001', '127.1', '0177.0.0.1', '8.8.8.8:80', '[::1]',
    '8.8.8', '8.8.8.8 ', '１２７.0.0.1']


@pytest.mark.parametrize('address', PUBLIC)
def test_public(address):
    assert is_public(address)


@pytest.mark.parametrize('address', PRIVATE)
def test_not_public(address):
    assert not is_public(address)
