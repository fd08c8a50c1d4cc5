namespace LoggingService.Tests.Support;

/// <summary>A file system in memory, of a megabyte and some hundred files unless the test says, on a folder; goes when it is disposed of.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly string _path;

    private SmallDisk(string path) => _path = path;

    /// <summary>Mounts it; skips the test where that can't be done, which fails it in CI.</summary>
    public static async Task<SmallDisk> MountAsync(string path, string size = "1m", int files = 0)
    {
        Directory.CreateDirectory(path);
        var (exitCode, output) = OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess
            ? await ChildProcess.RunAsync("mount", ["-t", "tmpfs", "-o", $"size={size},nr_inodes={files}", "tmpfs", path])
            : (1, "only root on Linux can");
        if (exitCode != 0)
        {
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", $"A small disk must be there in CI: {output}");
            Assert.Skip($"A small disk can't be mounted here: {output}");
        }

        return new(path);
    }

    /// <summary>Fills it to the last byte but some.</summary>
    public void Fill(int leave = 0)
    {
        var rest = Path.Combine(_path, "rest");
        File.WriteAllBytes(rest, new byte[leave]);
        using (var rubbish = new FileStream(Path.Combine(_path, "rubbish"), FileMode.Create, FileAccess.Write, FileShare.None, 0))
        {
            try
            {
                while (true)
                    rubbish.Write(new byte[4096]);
            }
            catch (IOException)
            {
                // Full.
            }
        }

        File.Delete(rest);
    }

    /// <summary>Leaves space, but for no more than some files, folders and links.</summary>
    public void FillWithFiles(int leave = 0)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_path, "many")).FullName;
        var made = 0;
        try
        {
            for (; ; made++)
                File.Create(Path.Combine(folder, $"{made}")).Dispose();
        }
        catch (IOException)
        {
            for (var i = 1; i <= leave; i++)
                File.Delete(Path.Combine(folder, $"{made - i}"));
        }
    }

    /// <summary>Makes room again.</summary>
    public void Clear()
    {
        File.Delete(Path.Combine(_path, "rubbish"));
        if (Directory.Exists(Path.Combine(_path, "many")))
            Directory.Delete(Path.Combine(_path, "many"), recursive: true);
    }

    /// <summary>Makes it read-only, which binds root too, or writable again. A mount on top: one that has files open for writing can't be changed itself.</summary>
    public async Task SetReadOnlyAsync(bool readOnly)
    {
        var (exitCode, output) = readOnly
            ? await ChildProcess.RunAsync("mount", ["--bind", "-o", "ro", _path, _path])
            : await ChildProcess.RunAsync("umount", ["-l", _path]);
        Assert.True(exitCode == 0, output);
    }

    public void Dispose()
    {
        for (var i = 0; i < 5 && ChildProcess.RunAsync("umount", ["-l", _path]).GetAwaiter().GetResult().ExitCode == 0; i++)
        {
        }
    }
}
