"""What has become of imports on the remote."""
