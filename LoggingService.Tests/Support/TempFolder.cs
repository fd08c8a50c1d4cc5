using System.Runtime.CompilerServices;

namespace LoggingService.Tests.Support;

/// <summary>An empty folder for one test, deleted with its content when disposed.</summary>
internal sealed class TempFolder : IDisposable
{
    private static readonly TimeSpan DeletionLimit = TimeSpan.FromSeconds(5);

    private TempFolder(string path) => Path = path;

    /// <summary>The absolute path of the folder.</summary>
    public string Path { get; }

    /// <summary>The absolute path of an entry of the folder.</summary>
    public string this[params string[] parts] => System.IO.Path.Combine([Path, .. parts]);

    /// <summary>Creates a folder with access for its owner only, named after the calling file and test.</summary>
    public static TempFolder ForCaller([CallerFilePath] string file = "", [CallerMemberName] string test = "")
    {
        var name = $"{System.IO.Path.GetFileNameWithoutExtension(file)}.{test.TrimStart('.')}-";
        return new TempFolder(Directory.CreateTempSubdirectory(name).FullName);
    }

    /// <summary>Creates a folder in memory where possible (Linux), for tests that create many.</summary>
    public static TempFolder InMemory([CallerFilePath] string file = "", [CallerMemberName] string test = "")
    {
        if (!Directory.Exists("/dev/shm"))
            return ForCaller(file, test);
        var name = $"{System.IO.Path.GetFileNameWithoutExtension(file)}.{test}-{Guid.NewGuid():N}";
        return new TempFolder(Directory.CreateDirectory($"/dev/shm/{name}").FullName);
    }

    /// <summary>Repeated: the repair of a file may end after the service under test, and create another one meanwhile.</summary>
    public void Dispose()
    {
        var end = DateTime.UtcNow + DeletionLimit;
        while (Directory.Exists(Path))
        {
            try
            {
                Directory.Delete(Path, recursive: true);
            }
            catch (IOException) when (DateTime.UtcNow < end)
            {
                Thread.Sleep(20);
            }
        }
    }

    public override string ToString() => Path;
}
