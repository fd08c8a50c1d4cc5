using System.Runtime.Versioning;
using LoggingService.Files;

namespace LoggingService.Tests;

[UnsupportedOSPlatform("windows")]
public sealed class AtomicFileTests : IDisposable
{
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("atomic");

    private string Target => Path.Combine(_folder.FullName, "file");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void A_file_is_replaced_and_nothing_else_stays_in_the_folder()
    {
        File.WriteAllText(Target, "old");
        File.WriteAllText(Target + ".new", "left by a crash");

        AtomicFile.Replace(Target, Mode, file => file.Write("new"u8));

        Assert.Equal("new", File.ReadAllText(Target));
        Assert.Equal(Mode, File.GetUnixFileMode(Target));
        Assert.Equal([Target], Directory.GetFileSystemEntries(_folder.FullName));
    }

    [Fact]
    public void A_file_that_exists_is_not_created_again()
    {
        File.WriteAllText(Target, "old");

        Assert.Throws<IOException>(() => AtomicFile.Create(Target, Mode, file => file.Write("new"u8)));

        Assert.Equal("old", File.ReadAllText(Target));
        Assert.Equal([Target], Directory.GetFileSystemEntries(_folder.FullName));
    }

    [Fact]
    public void A_failure_while_writing_leaves_the_old_file()
    {
        File.WriteAllText(Target, "old");

        Assert.Throws<IOException>(() => AtomicFile.Replace(Target, Mode, file =>
        {
            file.Write("half"u8);
            throw new IOException("disk full");
        }));

        Assert.Equal("old", File.ReadAllText(Target));
        Assert.Equal([Target], Directory.GetFileSystemEntries(_folder.FullName));
    }

    [Fact]
    public void The_temporary_file_has_its_final_mode_before_anything_is_written()
    {
        var mode = UnixFileMode.None;

        AtomicFile.Create(Target, Mode, file => mode = File.GetUnixFileMode(file.Name));

        Assert.Equal(Mode, mode);
    }
}
