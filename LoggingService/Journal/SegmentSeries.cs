using System.Collections.Immutable;
using LoggingService.Files;

namespace LoggingService.Journal;

/// <summary>
/// The segments in one folder, oldest first. Numbers are never reused: a dropped segment that a power cut restores sorts first.
/// </summary>
/// <param name="after">The number after which new segments are numbered.</param>
internal sealed class SegmentSeries(string folder, long after = 0) : IDisposable
{
    private const string Unpublished = ".new";
    private readonly HashSet<string> _kept = [];
    private ImmutableArray<JournalSegment> _segments = [];

    public string Folder => folder;

    public long LastNumber { get; private set; } = after;

    public ImmutableArray<JournalSegment> Segments => _segments;

    /// <summary>Opens the segments of an earlier process and reads their frames; to be enumerated once, to its end.</summary>
    public IEnumerable<JournalFrame> Replay(Action<DamagedBytes> damaged)
    {
        var last = 0L;
        foreach (var (path, number) in JournalSegment.Find(folder))
        {
            var segment = JournalSegment.Open(path, number, damaged);
            segment.IsSealed = true;
            Add(segment);
            foreach (var frame in segment.Replay(last, damaged))
            {
                last = frame.Sequence;
                yield return frame;
            }
        }
    }

    /// <summary>Starts the next segment. Its name is durable when this returns.</summary>
    /// <param name="takeFile">Moves a zeroed file to the new path; false if there is none.</param>
    public JournalSegment Create(Func<string, bool>? takeFile = null)
    {
        Posix.CreateFolder(folder);
        LastNumber++;
        var path = Path.Combine(folder, JournalSegment.Name(LastNumber));
        takeFile?.Invoke(path);
        JournalSegment? segment = null;
        try
        {
            segment = JournalSegment.Create(path, LastNumber);
            Posix.Sync(folder);
            Posix.Sync(Path.GetDirectoryName(folder)!);
        }
        catch
        {
            // It has no frames. While the disk is full each retry would leave one.
            segment?.Dispose();
            File.Delete(path);
            throw;
        }

        Add(segment);
        return segment;
    }

    /// <summary>Starts a segment that has no part in the series before <see cref="Publish"/>, also after a crash.</summary>
    public JournalSegment Prepare()
    {
        Posix.CreateFolder(folder);
        LastNumber++;
        return CreateUnpublished(Path.Combine(folder, JournalSegment.Name(LastNumber)), LastNumber);
    }

    /// <summary>Adds a prepared segment, whole: a part of it would hide that the rest must be read elsewhere.</summary>
    /// <exception cref="IOException">It is not durable; it was removed as far as possible.</exception>
    public void Publish(JournalSegment segment)
    {
        segment.Sync();
        segment.MoveTo(segment.Path[..^Unpublished.Length]);
        Posix.Sync(folder);
        Posix.Sync(Path.GetDirectoryName(folder)!);
        segment.IsSealed = true;
        Add(segment);
    }

    /// <summary>Starts a segment in place of one of a series, which stays until <see cref="Replace"/>, also after a crash.</summary>
    public static JournalSegment PrepareFor(JournalSegment old) => CreateUnpublished(old.Path, old.Number);

    /// <summary>Puts a prepared and synced segment in the place of an old one; the caller syncs the folder.</summary>
    /// <param name="prepared"><c>null</c> removes the old one.</param>
    public void Replace(JournalSegment old, JournalSegment? prepared)
    {
        if (prepared is null)
        {
            File.Delete(old.Path);
            ImmutableInterlocked.Update(ref _segments, segments => segments.Remove(old));
        }
        else
        {
            prepared.MoveTo(old.Path);
            prepared.IsSealed = true;
            ImmutableInterlocked.Update(ref _segments, segments => segments.Replace(old, prepared));
        }

        old.Dispose();
    }

    /// <summary>Keeps the file of a segment, as <c>000017.damaged</c>, when the segment is dropped.</summary>
    public void Keep(string path) => _kept.Add(path);

    /// <summary>Removes the oldest segment, durably.</summary>
    /// <param name="retire">Moves its file away to be recycled; false if it must be deleted.</param>
    /// <param name="isRead">Whether it may be read now: then it must not be overwritten, and the finalizer closes its file.</param>
    public void DropOldest(Func<JournalSegment, bool>? retire = null, Func<bool>? isRead = null)
    {
        // First out of the list: a segment of the list whose file is missing was removed by another program.
        var oldest = Segments[0];
        ImmutableInterlocked.Update(ref _segments, static segments => segments.RemoveAt(0));

        // Behind the removal: a later reader does not find it.
        var mayBeRead = isRead?.Invoke() == true;
        try
        {
            if (_kept.Contains(oldest.Path))
            {
                Posix.Rename(oldest.Path, $"{oldest.Path}.damaged");
            }
            else if (mayBeRead || retire?.Invoke(oldest) != true)
            {
                File.Delete(oldest.Path);
            }

            Posix.Sync(folder);
        }
        catch
        {
            ImmutableInterlocked.Update(ref _segments, segments => segments.Insert(0, oldest));
            throw;
        }

        if (!mayBeRead)
        {
            oldest.Dispose();
        }
    }

    /// <summary>Removes the folder without segments, best effort: a start ignores it.</summary>
    public void DeleteFolder()
    {
        try
        {
            foreach (var path in Directory.GetFiles(folder, $"*{Unpublished}"))
            {
                File.Delete(path);
            }

            Directory.Delete(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Something else is in it.
        }
    }

    /// <summary>Deletes the files that are still at their paths, durably.</summary>
    public void Delete()
    {
        foreach (var segment in Segments)
        {
            segment.Delete();
        }

        Posix.Sync(folder);
    }

    public void Dispose()
    {
        foreach (var segment in Segments)
        {
            segment.Dispose();
        }
    }

    private static JournalSegment CreateUnpublished(string path, long number)
    {
        path += Unpublished;
        File.Delete(path);
        return JournalSegment.Create(path, number);
    }

    private void Add(JournalSegment segment)
    {
        LastNumber = Math.Max(LastNumber, segment.Number);
        ImmutableInterlocked.Update(ref _segments, segments => segments.Add(segment));
    }
}
