using Microsoft.Win32.SafeHandles;

namespace LoggingService.Files;

/// <summary>
/// A file that is only appended to: what is written is buffered until <see cref="Flush"/> appends it with one write. It remembers which
/// file it is and how long, so that a change by another program is noticed. After a failed append it must be disposed: later flushes
/// write nothing, since a part of the buffer may be in the file.
/// </summary>
internal sealed class AppendFile : Stream
{
    private const int BufferKept = 1024 * 1024;

    /// <summary>The buffer of files that have nothing buffered; never written.</summary>
    private static readonly MemoryStream Empty = new(0);

    // Thousands of files are open, of which few have something buffered.
    [ThreadStatic]
    private static MemoryStream? t_spare;

    private readonly SafeFileHandle _file;
    private readonly string _path;
    private readonly Lock _syncLock = new();
    private MemoryStream _buffer = Empty;
    private bool _hasFailed;
    private bool _hasSyncFailed;

    private AppendFile(string path, SafeFileHandle file)
    {
        _path = path;
        _file = file;
        Identity = Posix.Stat(file, path);
    }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    /// <summary>Which file it is, with the length that the last append left.</summary>
    public Posix.FileIdentity Identity { get; private set; }

    /// <summary>Bytes in the file, without the buffered ones.</summary>
    public override long Length => Identity.Length;

    /// <summary>The offset of what is written next.</summary>
    public override long Position { get => Length + _buffer.Length; set => throw new NotSupportedException(); }

    /// <summary>Opens the file, created with mode 0640.</summary>
    public static AppendFile Open(string path) => new(path, Posix.OpenToAppend(path));

    public override void Write(ReadOnlySpan<byte> bytes)
    {
        if (_buffer == Empty)
        {
            _buffer = t_spare ?? new();
            t_spare = null;
        }

        _buffer.Write(bytes);
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <summary>Appends the buffered bytes.</summary>
    /// <exception cref="IOException">The disk is full or failed; a part of them may be in the file.</exception>
    public override void Flush()
    {
        if (_buffer.Length == 0 || _hasFailed)
        {
            return;
        }

        _hasFailed = true;
        var bytes = _buffer.GetBuffer().AsSpan(0, (int)_buffer.Length);
        RandomAccess.Write(_file, bytes, Length);
        Identity = Identity with { Length = Length + bytes.Length };
        if (_buffer.Capacity <= BufferKept)
        {
            _buffer.SetLength(0);
            t_spare = _buffer;
        }

        _buffer = Empty;
        _hasFailed = false;
    }

    /// <summary>Whether the path still leads to this file, with the length that the last append left.</summary>
    public bool IsUnchanged() => Posix.Stat(_path) == Identity;

    /// <summary>Reads bytes of the file, or of the buffer behind its end; returns how many, 0 at the end.</summary>
    public int ReadAt(long offset, Span<byte> output)
    {
        if (offset < Length)
        {
            return RandomAccess.Read(_file, output[..(int)Math.Min(output.Length, Length - offset)], offset);
        }

        var buffered = _buffer.GetBuffer().AsSpan(0, (int)_buffer.Length)[(int)Math.Min(offset - Length, _buffer.Length)..];
        buffered = buffered[..Math.Min(buffered.Length, output.Length)];
        buffered.CopyTo(output);
        return buffered.Length;
    }

    /// <summary>fsync. Once it failed it fails always: Linux reports an error to one caller, and to the next one success.</summary>
    /// <exception cref="SyncFailedException">It failed: the file must not be written again.</exception>
    public void Sync()
    {
        lock (_syncLock)
        {
            if (_hasSyncFailed)
            {
                throw new SyncFailedException(new($"An earlier fsync of {_path} failed"));
            }

            try
            {
                Posix.Sync(_file, _path);
            }
            catch (SyncFailedException)
            {
                _hasSyncFailed = true;
                throw;
            }
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _file.Dispose();
        }

        base.Dispose(disposing);
    }
}
