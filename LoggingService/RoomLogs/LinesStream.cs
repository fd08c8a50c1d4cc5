namespace LoggingService.RoomLogs;

/// <summary>Lines as a stream, each with a line break; read once, to the end.</summary>
internal sealed class LinesStream(IEnumerable<ReadOnlyMemory<byte>> lines) : Stream
{
    private readonly IEnumerator<ReadOnlyMemory<byte>> _lines = lines.GetEnumerator();
    private ReadOnlyMemory<byte> _rest;
    private bool _isBreakDue;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(Span<byte> buffer)
    {
        var filled = 0;
        while (filled < buffer.Length)
        {
            if (!_rest.IsEmpty)
            {
                var length = Math.Min(_rest.Length, buffer.Length - filled);
                _rest.Span[..length].CopyTo(buffer[filled..]);
                _rest = _rest[length..];
                filled += length;
            }
            else if (_isBreakDue)
            {
                buffer[filled++] = (byte)'\n';
                _isBreakDue = false;
            }
            else if (_lines.MoveNext())
            {
                _rest = _lines.Current;
                _isBreakDue = true;
            }
            else
            {
                break;
            }
        }

        return filled;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _lines.Dispose();
        }

        base.Dispose(disposing);
    }
}
