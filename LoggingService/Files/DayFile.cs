namespace LoggingService.Files;

/// <summary>
/// A day's record or text, open for reading: the file as it was written or, where there is none, the compressed one, with <c>.gz</c> behind
/// its name. Offsets are those of the content. Where both exist, the file as it was written counts: a crash came before it was deleted.
/// </summary>
internal sealed class DayFile : IDisposable
{
    public const string CompressedSuffix = ".gz";
    private readonly FileStream _file;
    private readonly GzipFile? _gzip;

    private DayFile(string path)
    {
        _file = Posix.OpenRead(path);
        _gzip = path.EndsWith(CompressedSuffix, StringComparison.Ordinal) ? new(_file) : null;
    }

    /// <summary>Bytes of the content.</summary>
    public long Length => _gzip?.Length ?? _file.Length;

    /// <summary>The path of the file that counts; <c>null</c> if there is none.</summary>
    /// <param name="path">Without <c>.gz</c>.</param>
    public static string? Find(string path)
    {
        if (Posix.Stat(path) is not null)
        {
            return path;
        }

        // The first one may have been created meanwhile, from the second.
        var compressed = path + CompressedSuffix;
        return Posix.Stat(compressed) is not null ? compressed : Posix.Stat(path) is not null ? path : null;
    }

    /// <summary>Opens the file that counts; <c>null</c> if there is none.</summary>
    /// <param name="path">Without <c>.gz</c>.</param>
    public static DayFile? TryOpen(string path)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return Find(path) is { } found ? new(found) : null;
            }
            catch (FileNotFoundException) when (attempt < 2)
            {
                // It was compressed or decompressed meanwhile.
            }
        }
    }

    /// <exception cref="FileNotFoundException">There is no such file, nor a compressed one.</exception>
    public static DayFile Open(string path) => TryOpen(path) ?? throw new FileNotFoundException($"{path} does not exist", path);

    /// <summary>Opens a file by its own name; it is decompressed if that ends in <c>.gz</c>.</summary>
    public static DayFile OpenExactly(string path) => new(path);

    /// <summary>Reads bytes of the content; returns how many, 0 at its end.</summary>
    /// <exception cref="DamagedFileException">A compressed file is damaged.</exception>
    public int ReadAt(long offset, Span<byte> output) =>
        _gzip?.ReadAt(offset, output) ?? RandomAccess.Read(_file.SafeFileHandle, output, offset);

    public void Dispose()
    {
        _gzip?.Dispose();
        _file.Dispose();
    }
}
