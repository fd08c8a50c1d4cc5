using System.Runtime.CompilerServices;

namespace LoggingService.Tests.Support;

/// <summary>An empty folder for one test, which goes with everything in it when it is disposed of.</summary>
internal sealed class TempFolder : IDisposable
{
    private TempFolder(string path) => Path = path;

    /// <summary>The absolute path of the folder.</summary>
    public string Path { get; }

    /// <summary>The absolute path of something in the folder.</summary>
    public string this[params string[] parts] => System.IO.Path.Combine([Path, .. parts]);

    /// <summary>Makes a folder for its owner alone, named after the file and the test that ask for it.</summary>
    public static TempFolder ForCaller([CallerFilePath] string file = "", [CallerMemberName] string test = "")
    {
        var name = $"{System.IO.Path.GetFileNameWithoutExtension(file)}.{test.TrimStart('.')}-";
        return new TempFolder(Directory.CreateTempSubdirectory(name).FullName);
    }

    /// <summary>Makes one in memory where there is such a place (Linux), so that a test can make many.</summary>
    public static TempFolder InMemory([CallerFilePath] string file = "", [CallerMemberName] string test = "") =>
        Directory.Exists("/dev/shm") ? new TempFolder(Directory.CreateDirectory($"/dev/shm/{System.IO.Path.GetFileNameWithoutExtension(file)}.{test}-{Guid.NewGuid():N}").FullName) : ForCaller(file, test);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Directory.Exists(Path))
            Directory.Delete(Path, recursive: true);
    }

    /// <summary>The absolute path of the folder.</summary>
    public override string ToString() => Path;
}
