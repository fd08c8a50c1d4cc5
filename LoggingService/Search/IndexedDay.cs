using System.IO.Hashing;
using LoggingService.Files;
using LoggingService.RoomLogs;

namespace LoggingService.Search;

/// <summary>A file as it was when it was read: equal values mean that it was not changed since.</summary>
/// <param name="Modified">Ticks of the time of the last change.</param>
internal readonly record struct FileState(long Device, long Inode, long Length, long Modified)
{
    /// <summary>The state of a day's record, compressed or not; <c>null</c> if there is none.</summary>
    /// <param name="record">Without <c>.gz</c>.</param>
    public static FileState? Read(string record) =>
        DayFile.Find(record) is { } path && Posix.Stat(path) is { } file
            ? new((long)file.Device, (long)file.Inode, file.Length, File.GetLastWriteTimeUtc(path).Ticks)
            : null;

    public bool IsSameFileAs(FileState other) => (Device, Inode) == (other.Device, other.Inode);
}

/// <summary>How far the record of a day is indexed.</summary>
/// <param name="Id">Its row.</param>
/// <param name="Offset">Behind the last line that is indexed; <see cref="Stale"/> if the day must be indexed again.</param>
/// <param name="Lines">How many lines are before the offset.</param>
/// <param name="Chain">The hash of the lines before the offset.</param>
/// <param name="Tail">The hash of the last bytes before the offset; 0 of a compressed file.</param>
/// <param name="FirstRow">No event of the day has a row before this one.</param>
/// <param name="LastRow">Nor behind this one.</param>
internal sealed record IndexedDay(
    long Id, DateOnly Day, FileState State, long Offset, int Lines, ulong Chain, ulong Tail, long FirstRow, long LastRow)
{
    public const long Stale = -1;

    /// <summary>The first row of a day without events.</summary>
    public const long NoRow = long.MaxValue;

    private const int TailBytes = 1024;

    public static ulong Link(ulong chain, ReadOnlySpan<byte> line) => XxHash3.HashToUInt64(line, (long)chain);

    /// <summary>The hash of the last bytes before an offset of a file as it was written.</summary>
    public static ulong TailOf(string record, long offset)
    {
        if (!File.Exists(record))
        {
            return 0;
        }

        using var file = DayFile.OpenExactly(record);
        var from = Math.Max(0, offset - TailBytes);
        return XxHash3.HashToUInt64(RecordReader.ReadAll(file.ReadAt, from, new byte[offset - from]).Span);
    }

    /// <summary>
    /// Whether the record still begins with the lines that are indexed. Where lines were only appended, the last bytes tell; otherwise,
    /// such as after a compression, all lines are read.
    /// </summary>
    /// <exception cref="IOException">The record can't be read.</exception>
    public bool IsStartOf(string record, FileState state)
    {
        if (Offset <= 0)
        {
            return Offset == 0;
        }

        if (state.IsSameFileAs(State) && state.Length > State.Length && Tail != 0)
        {
            return TailOf(record, Offset) == Tail;
        }

        using var file = DayFile.TryOpen(record);
        if (file is null)
        {
            return false;
        }

        var chain = 0UL;
        var end = 0L;
        foreach (var line in RecordReader.Lines(file.ReadAt, 0, Offset))
        {
            chain = Link(chain, line.Bytes.Span);
            end = line.Offset + line.Bytes.Length + (line.IsFinished ? 1 : 0);
        }

        return end == Offset && chain == Chain;
    }
}
