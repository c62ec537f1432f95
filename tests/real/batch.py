"""A batch file over what cmd.exe can do, and what it prints."""

from __future__ import annotations

BATCH = r"""@echo off
setlocal
echo args: %0 [%~1] [%~n1] [%~x1] [%*]
echo dp0: %~dp0 nx0: %~nx0
for %%f in (in.txt tree\a.txt) do echo F %%f %%~nf %%~xf
for /l %%i in (1,2,7) do echo L %%i
for /f "tokens=1,2" %%a in (words.txt) do echo T %%a-%%b
for /f "delims=" %%a in ('echo sub shell') do echo S %%a
for /r tree %%x in (s*.txt) do echo R %%x
if exist in.txt (echo yes) else (echo no)
if not exist nope.txt (echo none) else (echo some)
if "%1"=="one.txt" echo equal
if /i "ONE.TXT"=="%1" echo equal but for case
if defined PATH echo defined
if 5 GTR 3 echo greater
set /a n=2+3*9-7
set /a n+=5, m=n%%4
echo n=%n% m=%m%
set v=abcdef
echo %v:~1,3% %v:~-2% %v:cd=XY%
call :sub alpha beta
echo back %errorlevel%
goto over
echo not reached
:sub
echo in sub %1 %2 %~0
exit /b 5
:over
echo one> o.txt
echo two>> o.txt
type o.txt
type nope.txt 2> e.txt
echo el=%errorlevel%
if exist e.txt echo kept
type nope.txt > all.txt 2>&1
find /v "" < all.txt > nul && echo told
echo a&& echo b
type nope.txt 2>nul || echo or else
find "hello" < in.txt
type words.txt | find "hello" | find "again"
call sub.bat x "y z"
echo after call
hostname >nul
echo hostname %errorlevel%
cmd /c exit 7
if errorlevel 7 echo at least 7
if %errorlevel% == 7 echo is 7
start /wait cmd /c exit 9
echo start %errorlevel%
start /wait /b cmd /c echo from start
md made\below
copy in.txt made >nul
dir /b made
ren made\in.txt out.txt
move made\out.txt . >nul
if exist out.txt echo moved
del out.txt
rd /s /q made
if not exist made echo gone
pushd tree
echo %cd%
popd
echo %cd%
set FOO=bar
endlocal
echo [%FOO%]
shift
echo 1=%1
echo ^& ^| ^> "quoted & text"
echo.
nosuchprogram 2>nul
echo no=%errorlevel%
exit /b 3
"""
SUB = "@echo off\necho sub.bat %0 [%1] [%~2]\nexit /b 4\n"
WORDS = "hello there\nworld wide\nagain hello\n"
SAID = r"""args: t.bat [one.txt] [one] [.txt] [one.txt two]
dp0: E:\ nx0: t.bat
F in.txt in .txt
F tree\a.txt a .txt
L 1
L 3
L 5
L 7
T hello-there
T world-wide
T again-hello
S sub shell
R tree\skip.txt
yes
none
equal
equal but for case
defined
greater
n=27 m=3
bcd ef abXYef
in sub alpha beta :sub
back 5
one
two
el=1
kept
told
a
b
or else
hello
again hello
sub.bat sub.bat [x] [y z]
after call
hostname 0
at least 7
is 7
start 9
from start
below
in.txt
moved
gone
E:\tree
E:\
[]
1=two
& | > "quoted & text"

no=9009
"""
